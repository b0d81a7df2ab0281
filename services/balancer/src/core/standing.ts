import type { CommandOf } from '@evenkeel/protocol';
import type { NodeView } from './cluster/state.js';
import { Cordons } from './cordons.js';
import { LiveSettings, type LiveValues } from './live-settings.js';
import { NodeSetting } from './node-settings.js';
import type { DrainGoals } from './plan/drains.js';
import type { SavedState } from './state.js';

type StandingCommand = CommandOf<'cordon'> | CommandOf<'set'>;

/** What operators have said once and for all: it holds for later leaders, and for later processes of nodes. */
export class Standing {
  readonly cordons = new Cordons();
  /** Of balancers. */
  readonly settings: LiveSettings;
  /** And of nodes. */
  readonly nodeSettings = new NodeSetting();
  readonly #log: (event: string, fields: object) => void;

  constructor(defaults: LiveValues, log: (event: string, fields: object) => void) {
    this.settings = new LiveSettings(defaults);
    this.#log = log;
  }

  /** Tells nodes that report otherwise. */
  keep(
    nodes: readonly NodeView[],
    goals: DrainGoals,
    send: (node: string, command: StandingCommand) => void,
    nowMs: number,
  ): void {
    for (const node of this.cordons.keep(nodes, goals, send, nowMs)) this.#log('cordoned again', { node });
    for (const node of this.nodeSettings.keep(nodes, send, nowMs))
      this.#log('told what is set of it', { node });
  }

  /** Names of settings that are not as the environment has them; of a node `<node>.<name>`. */
  get changed(): string[] {
    const ofNodes = [...this.nodeSettings.wishes.values()].flatMap(({ node, weight, capacity }) => [
      ...(weight === undefined ? [] : [`${node}.weight`]),
      ...(capacity === undefined ? [] : [`${node}.capacity`]),
    ]);
    return [...this.settings.changed.map(({ name }) => name), ...ofNodes];
  }

  saved(): Pick<SavedState, 'cordons' | 'settings' | 'nodeSettings'> {
    return {
      cordons: [...this.cordons.wishes.values()],
      settings: this.settings.changed,
      nodeSettings: [...this.nodeSettings.wishes.values()],
    };
  }

  restore({ cordons = [], settings = [], nodeSettings = [] }: SavedState): void {
    this.cordons.wishes.clear();
    for (const cordon of cordons) this.cordons.set(cordon);
    this.settings.restore(settings);
    this.nodeSettings.restore(nodeSettings);
  }
}
