import { isPattern, overlaps } from '@evenkeel/access';
import type { Connection } from '../transport/connection.js';
import type { Single, Topics } from './ports.js';

/** So many names are compared with a new one; the rest is taken to overlap with it, since to know better takes too long. */
const maxCompared = 32;

/**
 * How the messages of its topics get to one connection: by the engine, which is quick, where each can come by one name alone; one
 * by one where two names overlap, or where what the session has published is not to come back.
 */
export class Listening {
  readonly #connection: Connection;
  readonly #topics: Pick<Topics, 'addSingle' | 'removeSingle'>;
  readonly #names: Iterable<string>;
  /** Undefined: none yet. */
  #single: Single | undefined;
  /** Names that are handed over one by one. */
  readonly #singles = new Set<string>();
  #patterns = 0;

  /** `names`: by which messages come. */
  constructor(
    connection: Connection,
    topics: Pick<Topics, 'addSingle' | 'removeSingle'>,
    names: Iterable<string>,
  ) {
    this.#connection = connection;
    this.#topics = topics;
    this.#names = names;
  }

  /** Messages come by this name from now on; `hasEcho`: also its own. */
  begin(name: string, hasEcho: boolean): void {
    const isOne = isPattern(name);
    const others = this.#patterns > 0 || isOne ? this.#overlapping(name) : [];
    if (isOne) this.#patterns += 1;
    for (const other of others) {
      if (this.#singles.has(other)) continue;
      this.#connection.unsubscribe(other);
      this.#handOver(other, true);
    }
    if (others.length > 0 || !hasEcho) this.#handOver(name, hasEcho);
    else this.#connection.subscribe(name);
  }

  /** Messages come by this name no more. */
  end(name: string): void {
    if (isPattern(name)) this.#patterns -= 1;
    this.stop(name);
  }

  /** Like `end`, of a name that is still to end. */
  stop(name: string): void {
    if (this.#single && this.#singles.delete(name)) this.#topics.removeSingle(name, this.#single);
    else this.#connection.unsubscribe(name);
  }

  #handOver(name: string, hasEcho: boolean): void {
    const { uid, sid } = this.#connection.claims;
    this.#single ??= { session: `${uid}.${sid}`, offer: (frame) => this.#connection.sendMessage(frame) };
    this.#singles.add(name);
    this.#topics.addSingle(name, this.#single, hasEcho);
  }

  /** Names that may bring the same messages as this one. */
  #overlapping(name: string): string[] {
    const found: string[] = [];
    let compared = 0;
    for (const other of this.#names) {
      if (other === name || areApart(name, other)) continue;
      compared += 1;
      if (compared > maxCompared || overlaps(name, other)) found.push(other);
    }
    return found;
  }
}

/** Told at a glance: two names, or names that begin with different words. */
function areApart(one: string, other: string): boolean {
  if (!isPattern(one) && !isPattern(other)) return true;
  const [first, second] = [firstWord(one), firstWord(other)];
  return first !== second && !isPattern(first) && !isPattern(second);
}

function firstWord(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? name : name.slice(0, dot);
}
