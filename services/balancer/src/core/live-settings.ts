/** `auto`: levels on its own. `manual`: only what an operator asks for, and drains. */
export type Mode = 'auto' | 'manual';

/** What an operator can set while a balancer runs. Each has the name of its setting. */
export interface LiveValues {
  readonly mode: Mode;
  readonly maintenanceWindows: readonly string[];
  readonly relativeThreshold: number;
  readonly absoluteThreshold: number;
  readonly quietMs: number;
  readonly deployHoldMs: number;
  readonly moveDeadlineMs: number;
  readonly startPerSecond: number;
  readonly maxPerSecond: number;
  readonly handshakeP99Ms: number;
  readonly loopLagP99Ms: number;
}
/** See {@link LiveValues}. */
export type LiveName = keyof LiveValues;

/** One that an operator has set. */
export type LiveSetting = {
  readonly [N in LiveName]: { readonly name: N; readonly value: LiveValues[N] } & Setter;
}[LiveName];

/** Who has set something, and when (ms since the epoch). */
export interface Setter {
  readonly by: string;
  readonly at: number;
}

/** What the environment says, and what operators have set instead. */
export class LiveSettings {
  readonly defaults: LiveValues;
  readonly #set = new Map<LiveName, LiveSetting>();
  #values: LiveValues;

  constructor(defaults: LiveValues) {
    this.defaults = defaults;
    this.#values = defaults;
  }

  /** What counts. */
  get values(): LiveValues {
    return this.#values;
  }

  /** What operators have set, in no order. */
  get changed(): LiveSetting[] {
    return [...this.#set.values()];
  }

  changeOf(name: LiveName): LiveSetting | undefined {
    return this.#set.get(name);
  }

  set(setting: LiveSetting): void {
    this.#set.set(setting.name, setting);
    this.#merge();
  }

  /** Back to what the environment says. */
  unset(name: LiveName): void {
    this.#set.delete(name);
    this.#merge();
  }

  /** What a leader before has left. */
  restore(settings: readonly LiveSetting[]): void {
    this.#set.clear();
    for (const setting of settings) this.#set.set(setting.name, setting);
    this.#merge();
  }

  #merge(): void {
    const set = Object.fromEntries(this.changed.map(({ name, value }) => [name, value]));
    this.#values = { ...this.defaults, ...set };
  }
}

type Thresholds = Pick<LiveValues, 'relativeThreshold' | 'absoluteThreshold' | 'quietMs' | 'deployHoldMs'>;
type Pace = Pick<LiveValues, 'startPerSecond' | 'maxPerSecond' | 'handshakeP99Ms' | 'loopLagP99Ms'>;

/** Those of them that say when there is something to level. */
export const thresholdsOf = (v: Thresholds): Thresholds => ({
  relativeThreshold: v.relativeThreshold,
  absoluteThreshold: v.absoluteThreshold,
  quietMs: v.quietMs,
  deployHoldMs: v.deployHoldMs,
});

/** And how fast. */
export const paceOf = (v: Pace): Pace => ({
  startPerSecond: v.startPerSecond,
  maxPerSecond: v.maxPerSecond,
  handshakeP99Ms: v.handshakeP99Ms,
  loopLagP99Ms: v.loopLagP99Ms,
});

/** These and no more. */
export const liveValues = (v: LiveValues): LiveValues => ({
  mode: v.mode,
  maintenanceWindows: v.maintenanceWindows,
  moveDeadlineMs: v.moveDeadlineMs,
  ...thresholdsOf(v),
  ...paceOf(v),
});
