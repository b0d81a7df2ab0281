import type { PublishOutcome } from '@evenkeel/broker';
import type { Control } from '@evenkeel/mesh';

/** Longest that a command waits for the message before it to be confirmed, ms. */
const maxWaitMs = 20;
/** Commands in one message. */
const maxGathered = 64;
/** A command nobody has taken after this is of no use: it is asked for again. */
const expireMs = 10_000;

interface Batch {
  commands: string[];
  outcome: Promise<PublishOutcome>;
  send(): void;
}

/**
 * Publishes commands on `mesh.control`, in order for each key. Paced by the broker's confirms: with no message to
 * that key under way a command goes at once, else together with those that come until the last message is confirmed.
 * So a lone command never waits, and the busier the broker, the fewer messages carry the same commands.
 */
export class Coalescer {
  readonly #control: Pick<Control, 'sendRaw'>;
  readonly #gathering = new Map<string, Batch>();
  /** Messages not yet confirmed, by key; absent: none. */
  readonly #underWay = new Map<string, number>();

  constructor(control: Pick<Control, 'sendRaw'>) {
    this.#control = control;
  }

  /** Resolves when the message that carries it has been confirmed; `unrouted` when no edge has that key. */
  publish(key: string, command: object): Promise<PublishOutcome> {
    let batch = this.#gathering.get(key);
    if (!batch) {
      batch = this.#open(key);
      this.#gathering.set(key, batch);
    }
    batch.commands.push(JSON.stringify(command));
    if (!this.#underWay.has(key) || batch.commands.length >= maxGathered) batch.send();
    return batch.outcome;
  }

  #open(key: string): Batch {
    const commands: string[] = [];
    let send = () => {};
    const outcome = new Promise<PublishOutcome>((resolve, reject) => {
      send = () => {
        clearTimeout(timer);
        this.#gathering.delete(key);
        this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + 1);
        const body = commands.length === 1 ? commands[0] : undefined;
        this.#control
          .sendRaw(key, body ?? `[${commands.join(',')}]`, expireMs)
          .finally(() => this.#ended(key))
          .then(resolve, reject);
      };
    });
    const timer = setTimeout(send, maxWaitMs);
    return { commands, outcome, send };
  }

  #ended(key: string): void {
    const left = (this.#underWay.get(key) ?? 1) - 1;
    if (left > 0) {
      this.#underWay.set(key, left);
      return;
    }
    this.#underWay.delete(key);
    this.#gathering.get(key)?.send();
  }
}
