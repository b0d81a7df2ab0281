import { isPattern, overlaps } from '@evenkeel/access';
import type { Connection } from '../transport/connection.js';
import type { Single, Singles } from './singles.js';

/** So many names are compared with a new one; the rest is taken to overlap with it, since to know better takes too long. */
const maxCompared = 32;

/**
 * How the messages of its topics get to one connection: by the engine, which is quick, where each can come by one name alone; one
 * by one where two names overlap, or where what the session has published is not to come back.
 */
export class Listening {
  readonly #connection: Connection;
  readonly #all: Singles;
  readonly #names: Iterable<string>;
  /** Undefined: none yet. */
  #single: Single | undefined;
  /** Names that are handed over one by one. */
  readonly #singles = new Set<string>();
  /** Topics whose past comes first: they are not live yet, by no pattern either. */
  readonly #held = new Set<string>();
  #patterns = 0;

  /** `names`: by which messages come. */
  constructor(connection: Connection, singles: Singles, names: Iterable<string>) {
    this.#connection = connection;
    this.#all = singles;
    this.#names = names;
  }

  /** Messages come by this name from now on; `hasEcho`: also its own. */
  begin(name: string, hasEcho: boolean): void {
    const isOne = isPattern(name);
    this.#release(name);
    const others = this.#patterns > 0 || isOne ? this.#overlapping(name) : [];
    if (isOne) this.#patterns += 1;
    for (const other of others) this.#part(other);
    if (others.length > 0 || !hasEcho) this.#handOver(name, hasEcho);
    else this.#connection.subscribe(name);
  }

  /** What the topic carries comes otherwise until it begins: what is live must not come before it, whatever pattern it matches. */
  hold(topic: string): void {
    this.stop(topic);
    this.#held.add(topic);
    const others = this.#patterns > 0 ? this.#overlapping(topic) : [];
    for (const other of others) this.#part(other);
    if (others.length > 0) this.#part(topic);
  }

  /** Messages come by this name no more. */
  end(name: string): void {
    if (isPattern(name)) this.#patterns -= 1;
    this.stop(name);
  }

  /** Like `end`, of a name that is still to end. */
  stop(name: string): void {
    this.#release(name);
    if (this.#single && this.#singles.delete(name)) this.#all.remove(name, this.#single);
    else this.#connection.unsubscribe(name);
  }

  /** It overlaps with another: the engine would bring messages twice, or what is held. */
  #part(name: string): void {
    if (this.#held.has(name)) return this.#all.mute(name, this.#mine());
    if (this.#singles.has(name)) return;
    this.#connection.unsubscribe(name);
    this.#handOver(name, true);
  }

  #release(topic: string): void {
    if (this.#held.delete(topic) && this.#single) this.#all.unmute(topic, this.#single);
  }

  #handOver(name: string, hasEcho: boolean): void {
    this.#singles.add(name);
    this.#all.add(name, this.#mine(), hasEcho);
  }

  #mine(): Single {
    const { uid, sid } = this.#connection.claims;
    this.#single ??= { session: `${uid}.${sid}`, offer: (frame) => this.#connection.sendMessage(frame) };
    return this.#single;
  }

  /** Names that may bring the same messages as this one. */
  #overlapping(name: string): string[] {
    const found: string[] = [];
    let compared = 0;
    for (const names of [this.#names, this.#held]) {
      for (const other of names) {
        if (other === name || areApart(name, other)) continue;
        compared += 1;
        if (compared > maxCompared || overlaps(name, other)) found.push(other);
      }
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
