import type { CommandOf, EdgeCommand } from '@evenkeel/protocol';
import type { Adoptions } from '../life/adoptions.js';
import type { Life } from '../life/life.js';
import type { SessionReports } from '../life/reports.js';
import type { Departures } from '../move/departures.js';
import type { Handover } from '../move/handover.js';
import type { Takeovers } from '../move/takeovers.js';
import type { EdgeNode } from '../node.js';
import type { LeftSeals } from '../queue/left-seals.js';
import type { Rehoming } from '../queue/rehoming.js';
import type { LeftBehind } from '../session/left-behind.js';
import type { Claims } from './claims.js';
import type { OperatorSettings } from './operator-settings.js';
import type { Whereabouts } from './whereabouts.js';

/** What each command to an edge does. */
export type Handlers = { readonly [C in EdgeCommand['command']]: (command: CommandOf<C>) => void };

export interface HandlersOptions {
  node: Pick<EdgeNode, 'cordon' | 'uncordon'>;
  departures: Pick<Departures, 'reconnect' | 'cancel' | 'forgetPins'>;
  handover: Pick<Handover, 'onReleased'>;
  takeovers: Pick<Takeovers, 'onTakeover'>;
  rehoming: Pick<Rehoming, 'leave'>;
  leftSeals: Pick<LeftSeals, 'hurry'>;
  claims: Pick<Claims, 'onClaim' | 'onClaimed'>;
  whereabouts: Whereabouts;
  life: Pick<Life, 'forget'>;
  leftBehind: Pick<LeftBehind, 'take' | 'passedOn'>;
  adoptions: Pick<Adoptions, 'onAdopt'>;
  reports: Pick<SessionReports, 'all'>;
  /** What operators have set. */
  set: Pick<OperatorSettings, 'set'>;
}

export function commandHandlers(options: HandlersOptions): Handlers {
  const { node, departures, handover, takeovers, claims, whereabouts, life, leftBehind } = options;
  const { adoptions, reports, set, leftSeals, rehoming } = options;
  return {
    reconnect: (command) => departures.reconnect(command),
    cancel: ({ move }) => departures.cancel(move),
    takeover: (command) => takeovers.onTakeover(command),
    released: (command) => handover.onReleased(command),
    'give-seal': (who) => leftSeals.hurry(who),
    claim: (command) => claims.onClaim(command),
    claimed: (command) => claims.onClaimed(command),
    cordon: () => {
      // Commanded to empty it: everybody is tried again.
      departures.forgetPins();
      node.cordon();
    },
    uncordon: () => node.uncordon(),
    where: (command) => whereabouts.answer(command),
    disconnect: (command) => whereabouts.disconnect(command),
    'send-back': (command) => whereabouts.sendBack(command),
    inspect: (command) => whereabouts.inspect(command),
    describe: (command) => whereabouts.describe(command),
    set: (command) => set.set(command),
    'leave-broker': ({ broker, connections }) => rehoming.leave(broker, connections === true),
    sessions: () => reports.all(),
    adopt: (command) => adoptions.onAdopt(command),
    forget: ({ sessions }) => {
      life.forget(sessions);
      for (const [key] of sessions) leftBehind.take(key);
    },
  };
}
