import { eventually } from '@evenkeel/testkit';
import type { Fault } from './fault.js';
import type { Participant } from './participant.js';

/** Those that are connected, once any is: while one edge is drained and the other restarted, nobody may be. */
const connected = (
  clients: readonly Participant[],
  isMeant: (client: Participant) => boolean = () => true,
): Promise<Participant[]> =>
  eventually(
    'a client is connected',
    () => {
      const those = clients.filter((client) => client.isConnected && isMeant(client));
      return those.length > 0 && those;
    },
    30_000,
  );

const isAwake = ({ options: { manner } }: Participant): boolean => manner !== 'sleeping';

/** All clients lose their sockets in the same moment. */
const storm: Fault['begin'] = async ({ clients }) => {
  const those = await connected(clients);
  for (const client of those) client.cut();
  return { end: async () => (those.length > 0 ? `${those.length} sockets were cut` : undefined) };
};

/** They read nothing and say nothing, with their sockets open. */
const frozen: Fault['begin'] = async ({ clients }) => {
  const those = await connected(clients, isAwake);
  const held = those.flatMap((client) => client.freeze());
  return {
    end: async () => {
      for (const each of held) each.thaw();
      return held.length > 0 ? `${held.length} sockets were not read` : undefined;
    },
  };
};

/** They come back at once by new sockets; the old ones stay, and nobody is at their end. */
const halfOpen: Fault['begin'] = async ({ clients }) => {
  const those = await connected(clients, isAwake);
  const left = those.flatMap((client) => client.leave());
  return {
    end: async () => {
      const open = left.filter((socket) => socket.readyState === socket.OPEN).length;
      for (const socket of left) socket.terminate();
      return left.length > 0
        ? `${left.length} sockets were left, ${open} of them open to the end`
        : undefined;
    },
  };
};

export const sockets = {
  'reconnect-storm': { part: 'clients', holdMs: 1_000, begin: storm },
  'clients-frozen': { part: 'clients', holdMs: 6_000, begin: frozen },
  'clients-half-open': { part: 'clients', holdMs: 6_000, begin: halfOpen },
} as const satisfies Readonly<Record<string, Fault>>;
