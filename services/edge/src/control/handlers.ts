import { type CommandOf, closeCodes, type EdgeCommand } from '@evenkeel/protocol';
import type { Departures } from '../move/departures.js';
import type { Handover } from '../move/handover.js';
import type { Takeovers } from '../move/takeovers.js';
import type { EdgeNode } from '../node.js';
import type { Claims } from './claims.js';
import type { Whereabouts } from './whereabouts.js';

/** What each command to an edge does. */
export type Handlers = { readonly [C in EdgeCommand['command']]: (command: CommandOf<C>) => void };

export interface HandlersOptions {
  node: Pick<EdgeNode, 'cordon' | 'uncordon'>;
  departures: Pick<Departures, 'reconnect' | 'cancel' | 'forgetPins'>;
  handover: Pick<Handover, 'onReleased'>;
  takeovers: Pick<Takeovers, 'onTakeover'>;
  claims: Pick<Claims, 'onClaim' | 'onClaimed'>;
  whereabouts: Whereabouts;
}

export function commandHandlers(options: HandlersOptions): Handlers {
  const { node, departures, handover, takeovers, claims, whereabouts } = options;
  return {
    reconnect: (command) => departures.reconnect(command),
    cancel: ({ move }) => departures.cancel(move),
    takeover: (command) => takeovers.onTakeover(command),
    released: (command) => handover.onReleased(command),
    claim: (command) => claims.onClaim(command),
    claimed: (command) => claims.onClaimed(command),
    cordon: () => {
      // Commanded to empty it: everybody is tried again.
      departures.forgetPins();
      node.cordon();
    },
    uncordon: () => node.uncordon(),
    where: (command) => whereabouts.answer(command),
    disconnect: (command) => {
      whereabouts.answer(command);
      whereabouts.close(command.uid, closeCodes.disconnected);
    },
  };
}
