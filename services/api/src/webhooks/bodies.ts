import { readJson } from '@evenkeel/mesh';
import { type InboundMessage, JsonText, ServiceError } from '@evenkeel/publisher';
import { z } from 'zod';
import type { Delivered } from './deliver.js';

/** Text and JSON as they are, bytes in base64. */
function dataMember({ data, json }: Pick<InboundMessage, 'data' | 'json'>): string {
  if (data instanceof Uint8Array) return `"base64":"${Buffer.from(data).toString('base64')}"`;
  return `"data":${json ?? JSON.stringify(data)}`;
}

/** What an application is told of what a client sent, as JSON: `data` is what the client has written. */
export function inboundBody(
  type: 'publish' | 'request',
  message: Pick<InboundMessage, 'id' | 'user' | 'session' | 'method' | 'data' | 'json'>,
): string {
  const { id, user, session, method } = message;
  const named = { type, id, user, session, ...(type === 'publish' ? { topic: method } : { method }) };
  return `${JSON.stringify(named).slice(0, -1)},${dataMember(message)}}`;
}

/** What has happened to a session, as `mesh.sessions` has it; other fields go along. */
const happening = z.looseObject({ user: z.string(), session: z.string() });

/** What an application is told of a session; undefined: the message cannot be read. */
export function happeningBody(
  key: string,
  id: string | undefined,
  bytes: Buffer,
): { session: string; body: object } | undefined {
  const read = happening.safeParse(readJson(bytes));
  if (!read.success) return undefined;
  const type = key.slice(key.lastIndexOf('.') + 1);
  return { session: read.data.session, body: { type, id, ...read.data } };
}

const refusal = z.looseObject({
  code: z.string().min(1).max(64),
  message: z.string().max(1_024).optional(),
  detail: z.string().max(1_024).optional(),
});

/** The reply to a client's request. @throws ServiceError */
export function replyOf(delivered: Delivered): unknown {
  if (delivered.is === 'done') {
    if (delivered.json !== undefined) return new JsonText(delivered.json);
    if (delivered.isEmpty) return null;
    throw new ServiceError('webhook-failed', 'the application answered with what is no JSON, or too long');
  }
  const said = delivered.is === 'refused' ? refusal.safeParse(delivered.answer) : undefined;
  if (said?.success === true)
    throw new ServiceError(
      said.data.code,
      said.data.message ?? said.data.detail ?? 'the application refused',
    );
  throw new ServiceError('webhook-failed', 'the application did not answer as it should');
}
