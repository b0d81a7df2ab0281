import type { Fault } from './fault.js';

/** What each piece of bytes waits on a slow way, ms; those behind it wait as well. */
const holdUpMs = 100;

/** The connections of the first edge to the broker are reset, and may be made again at once. */
const cut: Fault['begin'] = async ({ proxy }) => {
  const connections = proxy.cut();
  return { end: async () => (connections > 0 ? `${connections} connections were reset` : undefined) };
};

/** They are reset, and none can be made. */
const refused: Fault['begin'] = async ({ proxy }) => {
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

/** Nothing passes, and nobody is told. */
const frozen: Fault['begin'] = async ({ proxy }) => {
  const { connections } = proxy;
  proxy.pause();
  return {
    end: async () => {
      proxy.resume();
      return connections > 0 ? `${connections} connections were frozen both ways` : undefined;
    },
  };
};

/** What the edge says arrives; what the broker says does not. */
const deaf: Fault['begin'] = async ({ proxy }) => {
  const { connections } = proxy;
  proxy.pauseAnswers();
  return {
    end: async () => {
      proxy.resume();
      return connections > 0 ? `${connections} connections brought nothing from the broker` : undefined;
    },
  };
};

/** All that passes is held up, both ways. */
const slow: Fault['begin'] = async ({ proxy }) => {
  const { connections } = proxy;
  proxy.slow(holdUpMs);
  return {
    end: async () => {
      proxy.slow(0);
      return connections > 0 ? `${connections} connections were slow` : undefined;
    },
  };
};

export const ways = {
  'edge-cut': { part: 'way', holdMs: 1_000, begin: cut },
  'edge-without-broker': { part: 'way', holdMs: 4_000, begin: refused },
  'edge-without-broker-for-long': { part: 'way', holdMs: 15_000, begin: refused },
  'edge-way-frozen': { part: 'way', holdMs: 6_000, begin: frozen },
  'edge-hears-nothing': { part: 'way', holdMs: 6_000, begin: deaf },
  'edge-way-slow': { part: 'way', holdMs: 8_000, begin: slow },
} as const satisfies Readonly<Record<string, Fault>>;
