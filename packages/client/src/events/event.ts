/**
 * A directed event as a handler gets it.
 * @example
 * const show = ({ id, name, data }: ClientEvent) => console.log(id, name, data);
 * client.on('*', show);
 */
export interface ClientEvent<Data = unknown> {
  /** The publisher's `message_id`: identity. Without one `~` and a digest of the content, which different events may share. */
  readonly id: string;
  /** The routing key's words after `user.<uid>.`. */
  readonly name: string;
  /** JSON value, string, or `Uint8Array` for any other content type. */
  readonly data: Data;
  /** When it was published, ms since the epoch. */
  readonly at: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** W3C trace context that the publisher gave: `propagation.extract(context.active(), event)` of OpenTelemetry takes it. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  /** How the bytes of `data` are encoded, where the edge could not decode them. */
  readonly contentEncoding?: string;
  /**
   * It may have been written to an earlier socket of this session, maybe of another page. Where its publisher gave no
   * `message_id` and its edge died, it may have been handed on already.
   */
  readonly redelivered?: true;
}
/**
 * Handles an event; the next one waits until what it returns has settled.
 * @example
 * const save: EventHandler<{ number: number }> = async ({ data }) => report(data.number);
 * client.on('order.created', save); // acknowledged when it has settled
 */
export type EventHandler<Data = unknown> = (event: ClientEvent<Data>) => unknown;
