import type { Publisher } from '@evenkeel/broker';
import { exchanges } from '@evenkeel/protocol';

/** How long commands to one edge are gathered, ms. Under load several share a message; alone one is that much later. */
const gatherMs = 2;
/** Commands in one message. */
const maxGathered = 64;
/** A command nobody has taken after this is of no use: it is asked for again. */
const expirationMs = 10_000;

interface Batch {
  commands: string[];
  outcome: Promise<'routed' | 'unrouted'>;
  send(): void;
}

/** Publishes commands on `mesh.control`; those for one key within a moment travel in one message, in order. */
export class Coalescer {
  readonly #publisher: Publisher;
  readonly #batches = new Map<string, Batch>();

  constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  /** Resolves when the message that carries it has been confirmed; `unrouted` when no edge has that key. */
  publish(key: string, command: object): Promise<'routed' | 'unrouted'> {
    let batch = this.#batches.get(key);
    if (!batch) {
      batch = this.#open(key);
      this.#batches.set(key, batch);
    }
    batch.commands.push(JSON.stringify(command));
    if (batch.commands.length >= maxGathered) batch.send();
    return batch.outcome;
  }

  #open(key: string): Batch {
    const commands: string[] = [];
    let send = () => {};
    const outcome = new Promise<'routed' | 'unrouted'>((resolve, reject) => {
      send = () => {
        clearTimeout(timer);
        this.#batches.delete(key);
        const body = commands.length === 1 ? commands[0] : undefined;
        this.#publisher
          .publish(exchanges.control, key, body ?? `[${commands.join(',')}]`, {
            contentType: 'application/json',
            mandatory: true,
            expiration: expirationMs,
          })
          .then(resolve, reject);
      };
    });
    const timer = setTimeout(send, gatherMs);
    return { commands, outcome, send };
  }
}
