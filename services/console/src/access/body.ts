import type { IncomingMessage } from 'node:http';
import { Refusal } from '@evenkeel/runtime';

/** A command may be as long as on the management queue. */
const maxBytes = 65_536;

/** The JSON that a request brings. @throws Refusal */
export async function jsonOf(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new Refusal(415, 'bad-type', 'send JSON, with content-type: application/json');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new Refusal(413, 'too-large', `send at most ${maxBytes} bytes`, { connection: 'close' });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Refusal(400, 'bad-json', 'the body is not JSON');
  }
}
