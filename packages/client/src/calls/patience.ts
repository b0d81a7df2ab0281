import { checkNumber } from '../check.js';
import { ClientError } from '../errors.js';
import { timerMs } from '../time.js';

/**
 * How long to wait for an answer, and a way to stop waiting.
 * @example
 * const options: CallOptions = { timeoutMs: 5_000, signal: AbortSignal.timeout(4_000) };
 * await client.ready(options);
 */
export interface CallOptions {
  /**
   * Default 30,000 ms, `Infinity` for no limit; whether it was carried out is unknown after that. An edge answers `request-timeout` itself
   * when no service has replied within its own limit, 30 s.
   */
  timeoutMs?: number | undefined;
  /** Stops waiting; what was sent cannot be called back. */
  signal?: AbortSignal | undefined;
}

/**
 * Of what goes to a service.
 * @example
 * const options: SendOptions = { timeoutMs: 5_000 };
 * await client.publish('room.42', { text: 'ahoy' }, options);
 */
export interface SendOptions extends CallOptions {
  /**
   * W3C trace context, which the service gets as headers: `propagation.inject(context.active(), options)` of OpenTelemetry sets it.
   * What is not well-formed the mesh leaves out.
   */
  traceparent?: string | undefined;
  tracestate?: string | undefined;
}

/**
 * Calls `giveUp` when it has lasted too long or is aborted; returns the way to stop. `late`: what is said then.
 * @throws ClientError `bad-option`
 */
export function patience(
  what: string,
  { timeoutMs = Infinity, signal }: CallOptions,
  giveUp: (error: ClientError) => void,
  late = () => new ClientError('timeout', `no answer to ${what} within ${timeoutMs} ms; try again`),
): () => void {
  checkNumber('timeoutMs', timeoutMs, 1);
  const abort = (): void => giveUp(new ClientError('aborted', `${what} was aborted`, signal?.reason));
  if (signal?.aborted) queueMicrotask(abort);
  const timer = setTimeout(() => giveUp(late()), timerMs(timeoutMs));
  signal?.addEventListener('abort', abort);
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  };
}
