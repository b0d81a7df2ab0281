/** `cordoned`: takes no newcomers, but those who are sent here; `draining`: takes nobody, for good. */
export type EdgeState = 'active' | 'cordoned' | 'draining';

/** This edge as the mesh knows it. Its state is written here and nowhere else. */
export class EdgeNode {
  /** Unique in the mesh, the same after a restart. */
  readonly name: string;
  /** Of this process: a restarted edge is another one. */
  readonly boot: string;
  #url = '';
  #state: EdgeState = 'active';
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
    return this.#state;
  }

  get isDraining(): boolean {
    return this.#state === 'draining';
  }

  /** Calls `fn` at each change of state; there is one listener. */
  onChange(fn: () => void): void {
    this.#onChange = fn;
  }

  /** It takes connections from now on. */
  listensAt(url: string): void {
    this.#url = url;
  }

  cordon(): void {
    this.#enter('cordoned');
  }

  uncordon(): void {
    this.#enter('active');
  }

  drain(): void {
    this.#enter('draining');
  }

  /** The listener is called also where nothing changes: who commands wants to see it confirmed. */
  #enter(state: EdgeState): void {
    if (this.#state !== 'draining') this.#state = state;
    this.#onChange();
  }
}
