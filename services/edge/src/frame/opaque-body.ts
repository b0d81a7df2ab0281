/** Bytes that are no JSON. */
export interface OpaqueBody {
  readonly body: Buffer;
  readonly contentType: string;
}

/** JSON as its client wrote it, or bytes. */
export type InboundBody = string | OpaqueBody;
