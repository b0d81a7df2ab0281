import { randomUUID } from 'node:crypto';
import { Broker, type BrokerOptions, type ConnectOptions, type Log } from '@evenkeel/broker';
import { TcpProxy } from '@evenkeel/testkit';
import { inject, onTestFinished, vi } from 'vitest';

/** A name nobody else uses. */
export function unique(stem: string): string {
  return `test.${stem}.${randomUUID()}`;
}

/** A log that remembers its messages. */
export class LogMemory implements Log {
  readonly lines: { level: string; fields: object; message: string }[] = [];

  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', fields, message });
  }

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', fields, message });
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields, message });
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields, message });
  }

  has(message: string): boolean {
    return this.lines.some((line) => line.message === message);
  }
}

/** A broker connection that is closed when the test ends. */
export async function openBroker(options: Partial<ConnectOptions> = {}): Promise<Broker> {
  const broker = await Broker.connect({ url: inject('amqpUrl'), name: 'test', attempts: 1, ...options });
  onTestFinished(() => broker.close());
  return broker;
}

/** A broker connection through a proxy of its own. */
export async function openProxied(
  options: Partial<BrokerOptions> = {},
): Promise<{ broker: Broker; proxy: TcpProxy }> {
  const url = inject('amqpUrl');
  const proxy = await TcpProxy.toUrl(url);
  onTestFinished(() => proxy.close());
  const broker = await openBroker({ retryMinMs: 20, retryMaxMs: 200, ...options, url: proxy.urlFor(url) });
  return { broker, proxy };
}

/** A queue that goes away by itself, and at the latest with the test. */
export async function makeQueue(
  broker: Broker,
  name: string,
  args: Record<string, unknown> = {},
): Promise<void> {
  const topology = broker.topology({ channels: 1 });
  await topology.declareQueue({ name, arguments: { 'x-expires': 60_000, ...args } });
  onTestFinished(() => topology.deleteQueue(name).catch(() => {}));
}

/** Waits until `look` gives something truthy, and gives that back. */
export function eventually<T>(
  look: () => T | Promise<T>,
  what: string,
  timeoutMs = 10_000,
): Promise<NonNullable<T>> {
  const seen = async (): Promise<NonNullable<T>> =>
    (await look()) || Promise.reject(new Error(`Not within ${timeoutMs} ms: ${what}`));
  return vi.waitFor(seen, { timeout: timeoutMs, interval: 10 });
}
