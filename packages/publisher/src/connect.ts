import { Broker, BrokerError, type Log } from '@evenkeel/broker';
import { shuffledAddresses } from '@evenkeel/pace';
import { kindOf } from '@evenkeel/protocol/wire';
import type { CreatePublisherOptions } from './types.js';

/** Which connection, and how long it is tried. */
export interface Dialled {
  /** Shown by RabbitMQ. */
  readonly name: string;
  readonly exchange: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** A connection to a broker where the exchange is. @throws BrokerError. */
export async function connected(
  { amqpUrl, tls, attempts, dial }: CreatePublisherOptions,
  log: Log,
  { name, exchange, signal, timeoutMs = Number.POSITIVE_INFINITY }: Dialled,
): Promise<Broker> {
  if (typeof amqpUrl !== 'string') {
    const hint =
      'give the address of the broker, amqp://user:password@host:5672; ' +
      'beside npm start, `export $(npx evenkeel env)` sets EVENKEEL_APP_AMQP_URL';
    throw new BrokerError('bad-address', `amqpUrl is ${kindOf(amqpUrl)}; ${hint}`);
  }
  const ending = new AbortController();
  const end = (): void => ending.abort(signal?.reason);
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end);
  const timer = Number.isFinite(timeoutMs) ? setTimeout(() => ending.abort(), timeoutMs) : undefined;
  try {
    return await withExchange(
      {
        url: shuffledAddresses(amqpUrl, Math.random),
        ...(tls && { tls }),
        name,
        log,
        signal: ending.signal,
        ...(attempts !== undefined && { attempts }),
        ...(dial && { dial }),
      },
      exchange,
    );
  } catch (error) {
    if (!ending.signal.aborted || !(error instanceof BrokerError)) throw error;
    if (signal?.aborted)
      throw new BrokerError('broker-closed', 'Connecting was aborted by the signal.', error);
    const message = `not connected within ${timeoutMs} ms (timeoutMs): ${error.message}`;
    throw new BrokerError('broker-unreachable', message, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

async function withExchange(
  options: Parameters<typeof Broker.connect>[0] & { signal: AbortSignal },
  exchange: string,
): Promise<Broker> {
  const broker = await Broker.connect(options);
  const close = (): void => void broker.close();
  options.signal.addEventListener('abort', close);
  try {
    await broker.expect([exchange], options.attempts);
    return broker;
  } catch (error) {
    await broker.close();
    throw error;
  } finally {
    options.signal.removeEventListener('abort', close);
  }
}
