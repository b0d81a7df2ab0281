import type { IncomingMessage } from 'node:http';
import { subprotocol } from '@evenkeel/protocol/wire';
import WebSocket from 'ws';

/** The upgrade was answered with something else than 101. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused';
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`the upgrade was answered ${status}: ${body.slice(0, 200)}`);
    this.status = status;
    this.body = body;
  }
}

export async function readRefusal(response: IncomingMessage): Promise<UpgradeRefused> {
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return new UpgradeRefused(response.statusCode ?? 0, body);
}

/** What an upgrade that is refused is answered with. @throws Error when it is let in. */
export async function refusal(
  url: string,
  query: string,
): Promise<{ status: number; body: { error: { code: string; message: string } } }> {
  return await new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url}${query}`, subprotocol);
    socket.on('unexpected-response', (_request, response) => {
      readRefusal(response).then(({ status, body }) => resolve({ status, body: JSON.parse(body) }), reject);
    });
    socket.on('open', () => {
      socket.terminate();
      reject(new Error('it was let in'));
    });
    socket.on('error', reject);
  });
}
