import type { NodeStats } from '@evenkeel/protocol';

/** `cordoned`: takes no newcomers, but those who are sent here; `draining`: takes nobody, for good. */
export type EdgeState = 'active' | 'cordoned' | 'draining';

/** Whether clients that dial its URL get here. `unchecked`: nobody looks; `checking`: it has not come out yet. */
export type Reach = 'unchecked' | 'checking' | 'no' | 'yes';

/** Who keeps newcomers off a cordoned edge. */
export type CordonCause = 'operator' | 'unreachable' | 'memory';

/** This edge as the mesh knows it. Its state is written here and nowhere else. */
export class EdgeNode {
  /** Unique in the mesh, the same after a restart. */
  readonly name: string;
  /** Of this process: a restarted edge is another one. */
  readonly boot: string;
  #url = '';
  #isCordoned = false;
  #isCommanded = false;
  #isDraining = false;
  #reach: Reach = 'unchecked';
  #memory: NodeStats['memory'];
  #onChange: () => void = () => {};

  constructor(name: string, boot: string) {
    this.name = name;
    this.boot = boot;
  }

  /** Where clients dial it; empty before it listens. */
  get url(): string {
    return this.#url;
  }

  get state(): EdgeState {
    if (this.#isDraining) return 'draining';
    return this.cordonedBy === undefined ? 'active' : 'cordoned';
  }

  /** The first of them that holds: an operator, even where it cannot be reached either. */
  get cordonedBy(): CordonCause | undefined {
    if (this.#isCordoned) return 'operator';
    if (this.#reach === 'checking' || this.#reach === 'no') return 'unreachable';
    return this.isLowOnMemory ? 'memory' : undefined;
  }

  /** How near its memory limit it is; undefined: it has not looked yet. */
  get memory(): NodeStats['memory'] {
    return this.#memory;
  }

  /** Not even those who are sent here are taken. */
  get isLowOnMemory(): boolean {
    return this.#memory?.isLow === true;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Undefined: it has not been looked at, or not come out yet. */
  get isReachable(): boolean | undefined {
    return this.#reach === 'yes' || this.#reach === 'no' ? this.#reach === 'yes' : undefined;
  }

  /** Calls `fn` at each change, and where a command changes nothing: who commands wants to see it confirmed. One listener. */
  onChange(fn: () => void): void {
    this.#onChange = fn;
  }

  /** It takes connections from now on. */
  listensAt(url: string): void {
    this.#url = url;
  }

  /** Whether this process has been told what an operator wants of it: then nothing that was left from before counts. */
  get isCommanded(): boolean {
    return this.#isCommanded;
  }

  cordon(): void {
    this.#command(true);
  }

  /** It stays cordoned while clients would not get here, or memory is low. */
  uncordon(): void {
    this.#command(false);
  }

  /** Whether it is to be cordoned by what was left from before; a command counts more. */
  mark(isMarked: boolean): void {
    if (this.#isCommanded) return;
    this.#isCordoned = isMarked;
    this.#onChange();
  }

  reaches(reach: Reach): void {
    this.#reach = reach;
    this.#onChange();
  }

  usesMemory(memory: NonNullable<NodeStats['memory']>): void {
    const before = this.#memory;
    this.#memory = memory;
    if (before?.isLow !== memory.isLow || before?.isShort !== memory.isShort) this.#onChange();
  }

  /** Something that is reported has. */
  hasChanged(): void {
    this.#onChange();
  }

  drain(): void {
    this.#isDraining = true;
    this.#onChange();
  }

  #command(isCordoned: boolean): void {
    this.#isCommanded = true;
    this.#isCordoned = isCordoned;
    this.#onChange();
  }
}
