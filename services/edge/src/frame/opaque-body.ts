import { roomyBody } from '@evenkeel/broker';

/** A body as bytes: no JSON, or a long one. */
export interface OpaqueBody {
  readonly body: Buffer;
  readonly contentType: string;
}

const jsonType = 'application/json';

/** JSON as its client wrote it, or bytes. */
export type InboundBody = string | OpaqueBody;

/** A long text, held until the broker has it, would be copied by each collection of garbage meanwhile; bytes stay where they are. */
export const jsonBytes = (json: string): OpaqueBody => ({ body: roomyBody(json), contentType: jsonType });

/** With its type in any case. */
export const typed = (body: InboundBody): { body: string | Buffer; contentType: string } =>
  typeof body === 'string' ? { body, contentType: jsonType } : body;
