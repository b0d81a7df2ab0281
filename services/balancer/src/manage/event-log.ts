import { maxEvents } from '@evenkeel/protocol';

/** One thing that has happened, as `events` shows it. */
export interface MeshHappening {
  readonly kind: 'command' | 'plan' | 'node' | 'leader';
  /** In words. */
  readonly text: string;
  readonly by?: string;
  readonly node?: string;
  readonly plan?: string;
  readonly outcome?: string;
}

/** One of them in the log; `id` is `<term>-<n>`, `at` ms since the epoch. */
export interface Logged extends MeshHappening {
  readonly id: string;
  readonly at: number;
}

/** Longest text, characters: what was refused may name every node there is. */
const maxTextChars = 500;

/** What has happened while this balancer has led: the last thousand. A successor begins its own. */
export class EventLog {
  readonly #wallNow: () => number;
  #events: Logged[] = [];
  #term = '0';
  #n = 0;

  constructor(wallNow: () => number) {
    this.#wallNow = wallNow;
  }

  /** This balancer leads from now on. `term`: later ones have others. */
  begin(term: string): void {
    this.#events = [];
    this.#term = term;
    this.#n = 0;
  }

  add({ text, ...happening }: MeshHappening): void {
    this.#n += 1;
    const shown = text.length > maxTextChars ? `${text.slice(0, maxTextChars)}…` : text;
    this.#events.push({ id: `${this.#term}-${this.#n}`, at: this.#wallNow(), ...happening, text: shown });
    if (this.#events.length > maxEvents) this.#events.shift();
  }

  /**
   * The first `limit` after the one named, or the newest where it is not known. `last` is what to ask `after` next: undefined when
   * nothing has happened.
   */
  after(id: string | undefined, limit: number = maxEvents): { events: Logged[]; last: string | undefined } {
    const all = this.#events;
    const at = all.findIndex((event) => event.id === id);
    const events = at < 0 ? all.slice(-limit) : all.slice(at + 1, at + 1 + limit);
    return { events, last: events.at(-1)?.id ?? all.at(-1)?.id };
  }
}
