import type { Placement } from '@evenkeel/protocol/wire';
import { ClientError } from '../errors.js';
import { type ConnectOptions, limits, type PlacementQuery, type WebSocketClass } from '../options.js';
import { lookUp } from './gateway.js';

/** The WebSocket class to use. @throws ClientError `no-websocket`. */
export function socketClass(options: ConnectOptions): WebSocketClass {
  const Socket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
  if (!Socket)
    throw new ClientError('no-websocket', 'there is no global WebSocket: pass that of `ws` as WebSocket');
  return Socket;
}

/** Asks where to connect, within 10 s. */
export async function place(
  options: ConnectOptions,
  random: () => number,
  asked: Pick<PlacementQuery, 'session' | 'from'>,
  controller: AbortController,
): Promise<Placement> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const give = (): void => reject(new ClientError('timeout', `no placement within ${limits.attemptMs} ms`));
    timer = setTimeout(() => {
      give();
      controller.abort();
    }, limits.attemptMs);
    controller.signal.addEventListener('abort', give);
  });
  const ask = async (): Promise<Placement> => {
    const token = options.getToken ? await options.getToken() : options.token;
    const query: PlacementQuery = { ...asked, user: options.user, token, signal: controller.signal };
    if (options.placement) return options.placement(query);
    return lookUp(options.gateway ?? '', options.fetch ?? fetch, query, random, options.credentials);
  };
  try {
    return await Promise.race([ask(), late]);
  } finally {
    clearTimeout(timer);
  }
}
