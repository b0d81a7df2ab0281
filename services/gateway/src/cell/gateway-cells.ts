import { type Cells, PerCell, someCells } from '@evenkeel/pace';
import { fromUid } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { Placer } from '../placement/placer.js';
import type { Cell } from './cell.js';

/** What {@link GatewayCells} does with a cell. */
export type HeldCell = Pick<
  Cell,
  | 'placer'
  | 'placing'
  | 'turnedAway'
  | 'isOpen'
  | 'denies'
  | 'figures'
  | 'readiness'
  | 'notes'
  | 'parts'
  | 'start'
  | 'stop'
>;

export interface GatewayCellsOptions {
  /** Undefined: there is one cell alone, which has no name. */
  readonly map: Cells | undefined;
  /** Reads the map anew. @throws CellsError */
  readonly read: () => Cells | undefined;
  /** The address of the one cell alone. */
  readonly amqpUrl: string;
  make(amqpUrl: string, name: string | undefined): HeldCell;
  readonly log: Pick<Log, 'info' | 'error'>;
}

/** The name of the one cell that has none. */
const only = '';

type Checks = ReturnType<HeldCell['readiness']>;
type Notes = ReturnType<HeldCell['notes']>;

/** The cells that this gateway places over: one alone, or those of a map. What one of them lacks concerns its users alone. */
export class GatewayCells {
  readonly #options: GatewayCellsOptions;
  readonly #held = new PerCell<HeldCell>({
    make: (name, amqpUrl) => this.#options.make(amqpUrl, name === only ? undefined : name),
    enter: (cell) => {
      // It tries for ever: it rejects where it, or the gateway, is stopped.
      if (this.#signal) cell.start(this.#signal).catch(() => {});
    },
    leave: (cell, name) => {
      const { log } = this.#options;
      cell.stop().catch((err: unknown) => log.error({ err, cell: name }, 'cell not left in order'));
    },
  });
  #map: Cells | undefined;
  #signal: AbortSignal | undefined;

  constructor(options: GatewayCellsOptions) {
    this.#options = options;
    this.#map = options.map;
    this.#held.follow(this.#wanted(options.map));
  }

  /** Where this user's clients are placed: nowhere until it is known whom each of the user's cells keeps out. */
  placerOf(uid: string): Placer {
    const unknown = this.#of(uid).find(({ isOpen }) => !isOpen);
    return (unknown ?? this.#home(uid)).placing;
  }

  turnedAwayOf(uid: string): HeldCell['turnedAway'] {
    return this.#home(uid).turnedAway;
  }

  /** An operator of a cell that the user may be in keeps them out. */
  denies(who: { uid: string; sid: string | undefined }): boolean {
    return this.#of(who.uid).some((cell) => cell.denies(who));
  }

  /** Whether the node is of another cell than that in which this user's clients are placed: nothing there is of use. */
  isElsewhere(uid: string, node: string): boolean {
    if (this.#home(uid).placer.knows(node)) return false;
    return this.#held.values().some(({ placer }) => placer.knows(node));
  }

  /** Each cell and its name; undefined: it has none. */
  *all(): Generator<readonly [string | undefined, HeldCell]> {
    for (const [name, cell] of this.#held.entries()) yield [name === only ? undefined : name, cell];
  }

  /** True while one of the cells is ready in this respect: a gateway is of use as long as it has one. */
  readiness(check: keyof Checks): true | string {
    const found = [...this.all()].map(([name, cell]) => told(name, cell.readiness()[check]));
    return found.includes(true) ? true : (found[0] ?? 'the map has no cell');
  }

  /** What is said of each cell in this respect. */
  note(which: keyof Notes): string | undefined {
    const found = [...this.all()].flatMap(([name, cell]) => told(name, cell.notes()[which]) ?? []);
    return found.length === 0 ? undefined : found.join('; ');
  }

  /** The cells whose users are placed nowhere, and why. */
  down(): string | undefined {
    if (this.#map === undefined) return undefined;
    const found = [...this.all()].flatMap(([name, cell]) => {
      const why = Object.values(cell.readiness()).find((outcome) => outcome !== true);
      return why === undefined ? [] : [told(name, why)];
    });
    return found.length === 0 ? undefined : found.join('; ');
  }

  /** What `/status` says. */
  snapshot(nowMs: number): object {
    if (this.#map === undefined) return this.#cell(only).placer.snapshot(nowMs);
    const cells = this.#map.all.map(({ name, weight, was }) => {
      const { nodes: _, ...rest } = this.#cell(name).placer.snapshot(nowMs);
      return { cell: name, weight, was, ...rest };
    });
    return { cells, ...this.view(nowMs) };
  }

  /** The edges of all cells, and who waits. */
  view(nowMs: number) {
    const views = [...this.all()].map(([cell, { placer }]) => ({ cell, ...placer.snapshot(nowMs) }));
    return {
      nodes: views.flatMap(({ cell, nodes }) =>
        nodes.map((node) => (cell === undefined ? node : { ...node, cell })),
      ),
      waiting: views.reduce((sum, { waiting }) => sum + waiting, 0),
    };
  }

  /** For how long no edge has been heard, of that cell where it is longest, ms; undefined: one is heard in each. */
  silentMs(nowMs: number): number | undefined {
    const silences = this.#held.values().flatMap(({ placer }) => placer.silentMs(nowMs) ?? []);
    return silences.length === 0 ? undefined : Math.max(...silences);
  }

  /** What the connections do, each by what it is for. */
  *figures(): Generator<
    readonly [
      string,
      ReturnType<HeldCell['figures']> extends Generator<readonly [string, infer F]> ? F : never,
    ]
  > {
    for (const [name, cell] of this.all())
      for (const [role, figures] of cell.figures())
        yield [name === undefined ? role : `${name} ${role}`, figures];
  }

  /**
   * What the lifecycle does of this name: a part of the one cell alone, so that what it waits for has a name; or all of several cells, by
   * the name `cells`; nothing of the others.
   */
  step(name: string, signal: AbortSignal): { start?(): Promise<void> | void; stop?(): Promise<void> | void } {
    if (this.#map !== undefined)
      return name === 'cells' ? { start: () => this.start(signal), stop: () => this.stop() } : {};
    const [, part] = this.#cell(only).parts.find(([each]) => each === name) ?? [];
    return part === undefined ? {} : { start: () => part.start(signal), stop: () => part.stop() };
  }

  /** Resolves once one cell is there, and the others are or have had a moment. Where none is any more, nothing is left open. */
  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    const starts = this.#held.values().map((cell) => cell.start(signal));
    await someCells(starts).catch(async ({ errors }: AggregateError) => {
      await this.stop();
      throw errors[0];
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#held.values().map((cell) => cell.stop()));
  }

  /** Takes the map as it is now. One that cannot be used changes nothing. @throws CellsError, or BrokerError of an address */
  reload(): void {
    const { read, log } = this.#options;
    const map = read();
    if (map === undefined || this.#map === undefined) return;
    this.#held.follow(this.#wanted(map));
    this.#map = map;
    const shown = map.all.map(({ name, weight, was }) => ({ name, weight, was }));
    log.info({ cells: shown }, 'the map of cells is read');
  }

  #wanted(map: Cells | undefined): Map<string, string> {
    if (map === undefined) return new Map([[only, this.#options.amqpUrl]]);
    return new Map(map.all.map((cell) => [cell.name, cell.amqpUrl]));
  }

  /** Those in which the user may have sessions. */
  #of(uid: string): HeldCell[] {
    const names = this.#map?.of(fromUid(uid)) ?? [only];
    return names.map((name) => this.#cell(name));
  }

  #home(uid: string): HeldCell {
    return this.#cell(this.#map?.homeOf(fromUid(uid)) ?? only);
  }

  #cell(name: string): HeldCell {
    const cell = this.#held.get(name);
    if (cell === undefined) throw new Error(`there is no cell ${name}`);
    return cell;
  }
}

/** The same with the name of the cell it is about. */
const told = <T extends true | string | undefined>(name: string | undefined, what: T): T =>
  (typeof what === 'string' && name !== undefined ? `${name}: ${what}` : what) as T;
