import type { Placement } from '@evenkeel/protocol/wire';
import { shown } from '../check.js';
import { ClientError, reasonOf } from '../errors.js';
import * as limits from '../limits.js';
import { lookUp } from './gateway.js';
import type { AttemptHost } from './host.js';
import type { PlacementQuery } from './options.js';

/** Asks where to connect, within 10 s. */
export async function place(
  host: AttemptHost,
  tried: readonly string[],
  controller: AbortController,
): Promise<Placement> {
  const { options, session, resume, from } = host;
  const { getToken, user } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking = getToken ? 'getToken' : 'the gateway';
  const late = new Promise<never>((_, reject) => {
    const give = (): void =>
      reject(new ClientError('timeout', `${asking} did not answer within ${limits.attemptMs} ms`));
    timer = setTimeout(() => {
      give();
      controller.abort();
    }, limits.attemptMs);
    controller.signal.addEventListener('abort', give);
  });
  const ask = async (): Promise<Placement> => {
    let { token } = options;
    if (getToken) token = await tokenOf(getToken);
    asking = 'the gateway';
    const query: PlacementQuery = { session, resume, from, tried, user, token, signal: controller.signal };
    if (options.placement) return options.placement(query);
    return lookUp(host, query);
  };
  try {
    return await Promise.race([ask(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws ClientError `get-token-failed`: the application's own fault is not to be taken for an unreachable gateway. */
export async function tokenOf(getToken: () => unknown): Promise<string> {
  let token: unknown;
  try {
    token = await getToken();
    if (token && typeof token === 'string') return token;
  } catch (error) {
    throw new ClientError('get-token-failed', `getToken threw: ${reasonOf(error)}`, error);
  }
  throw new ClientError('get-token-failed', `getToken gave ${shown(token)}; give a text`);
}
