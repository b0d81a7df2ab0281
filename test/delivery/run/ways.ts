import { eventually } from '@evenkeel/testkit';
import type { Fault } from './fault.js';
import type { Stage } from './stage.js';

/** What each piece of bytes waits on a slow way, ms; those behind it wait as well. */
const holdUpMs = 100;

/** Another fault may have ended the edge for a moment: then there is nothing to be done anything to. */
const hasConnection = (proxy: Stage['proxy']): Promise<unknown> =>
  eventually('the edge has a connection to the broker', () => proxy.connections > 0, 10_000);

/** The connections of the first edge to the broker are reset, and may be made again at once. */
const cut: Fault['begin'] = async ({ proxy }) => {
  await hasConnection(proxy);
  const connections = proxy.cut();
  return { end: async () => (connections > 0 ? `${connections} connections were reset` : undefined) };
};

/** They are reset, and none can be made. */
const refused: Fault['begin'] = async ({ proxy }) => {
  await hasConnection(proxy);
  proxy.refuse();
  const connections = proxy.cut();
  return {
    end: async () => {
      const left = proxy.connections;
      proxy.allow();
      return connections > 0 && left === 0
        ? `${connections} connections were reset, and none made`
        : undefined;
    },
  };
};

/** What passes is held for a time. It shows if there was a connection. */
const held =
  (
    hold: (proxy: Stage['proxy']) => void,
    letGo: (proxy: Stage['proxy']) => void,
    what: string,
  ): Fault['begin'] =>
  async ({ proxy }) => {
    await hasConnection(proxy);
    const { connections } = proxy;
    hold(proxy);
    return {
      end: async () => {
        letGo(proxy);
        return connections > 0 ? `${connections} connections ${what}` : undefined;
      },
    };
  };

/** Nothing passes, and nobody is told. */
const frozen = held(
  (proxy) => proxy.pause(),
  (proxy) => proxy.resume(),
  'were frozen both ways',
);

/** What the edge says arrives; what the broker says does not. */
const deaf = held(
  (proxy) => proxy.pauseAnswers(),
  (proxy) => proxy.resume(),
  'brought nothing from the broker',
);

/** All that passes is held up, both ways. */
const slow = held(
  (proxy) => proxy.slow(holdUpMs),
  (proxy) => proxy.slow(0),
  'were slow',
);

export const ways = {
  'edge-cut': { part: 'way', holdMs: 1_000, begin: cut },
  'edge-without-broker': { part: 'way', holdMs: 4_000, begin: refused },
  'edge-without-broker-for-long': { part: 'way', holdMs: 15_000, begin: refused },
  'edge-way-frozen': { part: 'way', holdMs: 6_000, begin: frozen },
  'edge-hears-nothing': { part: 'way', holdMs: 6_000, begin: deaf },
  'edge-way-slow': { part: 'way', holdMs: 8_000, begin: slow },
} as const satisfies Readonly<Record<string, Fault>>;
