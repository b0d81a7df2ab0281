import type { CommandOf, NodeStats } from '@evenkeel/protocol';
import type { EdgeNode } from '../node.js';
import type { Room } from '../transport/room.js';

export interface OperatorSettingsOptions {
  config: { readonly weight: number };
  room: Pick<Room, 'setCapacity'>;
  node: Pick<EdgeNode, 'hasChanged'>;
}

/** What operators have set of this edge, until its process ends; without that, what its environment says. */
export class OperatorSettings {
  readonly #options: OperatorSettingsOptions;
  #live: NonNullable<NodeStats['live']> = {};

  constructor(options: OperatorSettingsOptions) {
    this.#options = options;
  }

  /** Share of the load relative to other nodes. */
  get weight(): number {
    return this.#live.weight ?? this.#options.config.weight;
  }

  /** What is set, as it is reported. */
  get live(): NonNullable<NodeStats['live']> {
    return this.#live;
  }

  set({ weight, capacity }: Pick<CommandOf<'set'>, 'weight' | 'capacity'>): void {
    this.#live = { weight, capacity };
    this.#options.room.setCapacity(capacity);
    this.#options.node.hasChanged();
  }
}
