/** A body as bytes: no JSON, or a long one. */
export interface OpaqueBody {
  readonly body: Buffer;
  readonly contentType: string;
}

export const jsonType = 'application/json';

/** JSON as its client wrote it, or bytes. */
export type InboundBody = string | OpaqueBody;
