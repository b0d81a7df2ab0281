import type { Control, OwnQueue } from '@evenkeel/mesh';
import type { CommandOf, EdgeCommand } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { Handlers } from './handlers.js';

export interface CommandsOptions {
  node: string;
  control: Pick<Control, 'commands'>;
  handlers: Handlers;
  log: Log;
}

/**
 * Takes commands from `mesh.control`. Their queue is exclusive to this edge's consuming connection: where there is none,
 * other edges conclude that this one consumes no session either.
 */
export class Commands {
  readonly #queue: OwnQueue;

  constructor({ node, control, handlers, log }: CommandsOptions) {
    this.#queue = control.commands(node, (command) => dispatch(handlers, command), { log });
  }

  /** Resolves once commands arrive; waits for the broker as long as it takes. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#queue.start(signal);
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  /** Whether commands arrive; else why not. */
  readiness(): true | string {
    return this.#queue.readiness();
  }
}

function dispatch<C extends EdgeCommand['command']>(handlers: Handlers, command: CommandOf<C>): void {
  const handler: (command: CommandOf<C>) => void = handlers[command.command];
  handler(command);
}
