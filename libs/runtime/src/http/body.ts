import type { IncomingMessage } from 'node:http';
import { Refusal } from './answer.js';

/** The JSON that a request brings, with its bytes and its text as they came. @throws Refusal */
export async function jsonBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<{ readonly bytes: Buffer; readonly text: string; readonly value: unknown }> {
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
  const text = bytes.toString('utf8');
  try {
    return { bytes, text, value: JSON.parse(text) };
  } catch {
    throw new Refusal(400, 'bad-json', 'the body is not JSON');
  }
}
