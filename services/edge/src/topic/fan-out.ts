/**
 * A connection to which messages are handed one by one, since the engine would send it some twice, or all that it may not want:
 * one with topics that overlap, or without its own messages.
 */
export interface Single {
  /** `<uid>.<sid>` */
  readonly session: string;
  /** Sends it the frame of a message, or drops it where the client is too far behind. */
  offer(frame: string): void;
}

interface Held {
  readonly single: Single;
  readonly hasEcho: boolean;
}

/** Sends each frame once to whoever has one of the names that it is for. */
export class FanOut {
  /** By the name of a topic or pattern. */
  readonly #singles = new Map<string, Map<Single, Held>>();
  /** By topic: who is not to have its messages now, also where a pattern would bring them. */
  readonly #muted = new Map<string, Set<Single>>();
  readonly #publish: (name: string, frame: string) => void;

  /** `publish`: sends a frame to all that the engine knows to have subscribed `name`. */
  constructor(publish: (name: string, frame: string) => void) {
    this.#publish = publish;
  }

  /** `hasEcho`: messages of its own session come too. */
  add(name: string, single: Single, hasEcho: boolean): void {
    let held = this.#singles.get(name);
    if (!held) {
      held = new Map();
      this.#singles.set(name, held);
    }
    held.set(single, { single, hasEcho });
  }

  remove(name: string, single: Single): void {
    const held = this.#singles.get(name);
    if (held?.delete(single) && held.size === 0) this.#singles.delete(name);
  }

  /** Of a topic that is subscribed: nothing brings its messages to `single` until `unmute`. */
  mute(topic: string, single: Single): void {
    const muted = this.#muted.get(topic);
    if (muted) muted.add(single);
    else this.#muted.set(topic, new Set([single]));
  }

  unmute(topic: string, single: Single): void {
    const muted = this.#muted.get(topic);
    if (muted?.delete(single) && muted.size === 0) this.#muted.delete(topic);
  }

  /** To all that have one of `names`, first the topic's own where it is subscribed. `from`: the session that it is from, `<uid>.<sid>`. */
  send(names: readonly string[], frame: string, from?: string): void {
    for (const name of names) this.#publish(name, frame);
    if (this.#singles.size === 0) return;
    const [only] = names;
    if (names.length === 1 && only !== undefined) this.#offer(only, frame, from);
    else this.#offerOnce(names, frame, from);
  }

  /** To all that have `name`, whatever else they have. */
  tell(name: string, frame: string): void {
    this.#publish(name, frame);
    for (const { single } of this.#singles.get(name)?.values() ?? []) single.offer(frame);
  }

  #offer(name: string, frame: string, from: string | undefined): void {
    for (const { single, hasEcho } of this.#singles.get(name)?.values() ?? []) {
      if (hasEcho || single.session !== from) single.offer(frame);
    }
  }

  #offerOnce(names: readonly string[], frame: string, from: string | undefined): void {
    const done = new Set<Single>(this.#muted.get(names[0] ?? ''));
    for (const name of names) {
      for (const { single, hasEcho } of this.#singles.get(name)?.values() ?? []) {
        if (done.has(single) || (!hasEcho && single.session === from)) continue;
        done.add(single);
        single.offer(frame);
      }
    }
  }
}
