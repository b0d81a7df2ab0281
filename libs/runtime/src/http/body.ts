import type { IncomingMessage } from 'node:http';
import { Refusal } from './answer.js';

/** The JSON that a request brings, with its bytes as they came. @throws Refusal */
export async function jsonBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<{ readonly bytes: Buffer; readonly value: unknown }> {
  if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new Refusal(415, 'bad-type', 'send JSON, with content-type: application/json');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes)
      throw new Refusal(413, 'too-large', `send at most ${maxBytes} bytes`, { connection: 'close' });
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  try {
    return { bytes, value: JSON.parse(bytes.toString('utf8')) };
  } catch {
    throw new Refusal(400, 'bad-json', 'the body is not JSON');
  }
}
