import type { Fault } from './fault.js';

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

/** All clients lose their sockets in the same moment. */
const storm: Fault['begin'] = async ({ clients }) => {
  const connected = clients.filter(({ isConnected }) => isConnected);
  for (const client of connected) client.cut();
  return { end: async () => (connected.length > 0 ? `${connected.length} sockets were cut` : undefined) };
};

export const ways = {
  'edge-cut': { part: 'way', holdMs: 1_000, begin: cut },
  'edge-without-broker': { part: 'way', holdMs: 4_000, begin: refused },
  'edge-without-broker-for-long': { part: 'way', holdMs: 15_000, begin: refused },
  'edge-way-frozen': { part: 'way', holdMs: 6_000, begin: frozen },
  'edge-hears-nothing': { part: 'way', holdMs: 6_000, begin: deaf },
  'reconnect-storm': { part: 'clients', holdMs: 1_000, begin: storm },
} as const satisfies Readonly<Record<string, Fault>>;
