/** How often it is looked at while somebody waits, ms. */
const lookMs = 50;

export interface AskableOptions {
  /** Commands arrive. */
  readonly commands: { readiness(): true | string };
  /** `note`: undefined: it is this edge's. */
  readonly name: { note(): string | undefined };
}

/**
 * Whether others that want a session can ask this edge for it. One to which no command gets and whose name is free they take for gone, and
 * consume its sessions' queues once nobody does. So it consumes none before, lest it let one go with events in hand while they look.
 */
export class Askable {
  readonly #options: AskableOptions;
  #waiting: Promise<void> | undefined;

  constructor(options: AskableOptions) {
    this.#options = options;
  }

  /** Resolves once they can; undefined: they can. Nothing of it keeps the process. */
  when(): Promise<void> | undefined {
    if (this.#isSo) return undefined;
    this.#waiting ??= this.#wait();
    return this.#waiting;
  }

  get #isSo(): boolean {
    const { commands, name } = this.#options;
    return commands.readiness() === true || name.note() === undefined;
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const looking = setInterval(() => {
        if (!this.#isSo) return;
        clearInterval(looking);
        this.#waiting = undefined;
        resolve();
      }, lookMs).unref();
    });
  }
}
