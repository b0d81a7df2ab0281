import type { Placement } from '@evenkeel/protocol/wire';
import { ClientError } from '../errors.js';
import { limits } from '../limits.js';
import { lookUp } from './gateway.js';
import type { DialOptions, PlacementQuery } from './options.js';

/** Asks where to connect, within 10 s. */
export async function place(
  options: DialOptions,
  random: () => number,
  asked: Pick<PlacementQuery, 'session' | 'from' | 'tried'>,
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
