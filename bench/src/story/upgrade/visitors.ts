import type { WebSocketClass } from '@evenkeel/client';
import { ThinSocket } from '../../fleet/thin-socket.js';
import { ask, type Sdk, type Service, versions } from './sdk.js';

/** Visitors of each SDK at a time. */
const ofEach = 3;
const patienceMs = 30_000;

interface Visited {
  readonly k: number;
}

/**
 * Clients that come between two steps: whatever mix of versions there is, a new session attaches, is answered by the services of both
 * versions, loses its socket, and comes back to the event that waited for it. Returns what went wrong.
 */
export async function visit(
  gatewayUrl: string,
  services: readonly Service[],
  visit: number,
): Promise<string[]> {
  const visitors = services.flatMap(({ sdk }, s) =>
    Array.from({ length: ofEach }, async (_, n) => {
      const user = `visitor-${visit}-${sdk.version}-${n}`;
      // Who publishes is of another version than who receives, half of the time.
      const publisher = services[(s + n) % services.length]?.publisher;
      let timer: NodeJS.Timeout | undefined;
      let at = 'connecting';
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`not done after ${patienceMs / 1_000} s`)), patienceMs);
      });
      try {
        const visiting = visitAs(
          user,
          gatewayUrl,
          sdk,
          (k) => publisher?.toUser(user, 'visited', { k }),
          (what) => {
            at = what;
          },
        );
        visiting.catch(() => undefined);
        await Promise.race([visiting, late]);
        return [];
      } catch (error) {
        return [`${user}, ${at}: ${error instanceof Error ? error.message : String(error)}`];
      } finally {
        clearTimeout(timer);
      }
    }),
  );
  return (await Promise.all(visitors)).flat();
}

async function visitAs(
  user: string,
  gateway: string,
  { connect }: Sdk,
  publish: (k: number) => Promise<unknown> | undefined,
  at: (what: string) => void,
): Promise<void> {
  const sockets: ThinSocket[] = [];
  const seen: number[] = [];
  let [connections, onChange] = [0, () => {}];
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise<void>((resolve) => (onChange = resolve));
  };
  const client = connect({ gateway, user, WebSocket: collected(sockets), storage: false });
  client.on('visited', ({ data }) => {
    seen.push((data as Visited).k);
    onChange();
  });
  client.onStatus(({ type }) => {
    if (type === 'connected') connections++;
    onChange();
  });
  try {
    await until(() => connections === 1);
    for (const version of versions) {
      at(`asking the ${version} service`);
      const call = { n: -1, k: 1 };
      const { by } = await client.request<{ by: string }>(ask(version), call);
      if (by !== version) throw new Error(`answered by ${by}`);
    }
    at('waiting for an event');
    await publish(1);
    await until(() => seen.length >= 1);
    at('coming back');
    for (const socket of sockets) socket.terminate();
    await publish(2);
    await until(() => connections === 2);
    at('waiting for the event that it missed');
    await until(() => seen.length >= 2);
    await publish(3);
    await until(() => seen.length >= 3);
    if (seen.join() !== '1,2,3') throw new Error(`got ${seen.join()}`);
  } finally {
    await client.close();
  }
}

/** A class of sockets that keeps each in `sockets`. */
function collected(sockets: ThinSocket[]): WebSocketClass {
  return function make(address: string | URL, protocols?: string[]) {
    const socket = new ThinSocket(address, protocols);
    sockets.push(socket);
    return socket;
  } as unknown as WebSocketClass;
}
