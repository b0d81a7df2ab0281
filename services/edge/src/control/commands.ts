import { Arrivals, type Control, maySpeakFor, type OwnQueue, type Sender } from '@evenkeel/mesh';
import { LogLimit } from '@evenkeel/pace';
import type { CommandOf, EdgeCommand } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { Handlers } from './handlers.js';

/** Whose commands count: these users', or everybody's. */
export type Commanders = ReadonlySet<string> | 'any';

export interface CommandsOptions {
  node: string;
  control: Pick<Control, 'commands'>;
  handlers: Handlers;
  commanders: Commanders;
  log: Log;
}

/** An edge that stood still finds hundreds of commands left, and a stranger may send as many. */
const logEveryMs = 5_000;

/** What edges say to each other, each in its own name. */
const betweenEdges = ['takeover', 'released', 'give-seal', 'claim', 'claimed'] as const;
type BetweenEdges = CommandOf<(typeof betweenEdges)[number]>;
const isBetweenEdges = (command: EdgeCommand): command is BetweenEdges =>
  (betweenEdges as readonly string[]).includes(command.command);

/** Edges ask each other for sessions until they are answered, so a late question, or answer, is not left out. */
const isAskedAgain = ({ command }: EdgeCommand): boolean => command === 'takeover' || command === 'released';

/** Among the users: anybody, also without a `user_id`. */
const anybody = '*';

/**
 * Whose commands count for an edge that logs in as `user`: those that the setting lists, else the balancer's alone. Where an
 * edge has no user of its own kind, all of the mesh logs in as one, and everybody may.
 */
export function commandersOf(setting: readonly string[] | undefined, user: string | undefined): Commanders {
  if (setting?.includes(anybody)) return 'any';
  if (setting !== undefined) return new Set(setting);
  return user === 'edge' || user?.startsWith('edge-') ? new Set(['balancer']) : 'any';
}

/**
 * Whether this edge does what it is told here. Edges ask each other for sessions and about tickets, and answer; everything
 * else is a balancer's to command.
 */
export function mayCommand(command: EdgeCommand, sender: Sender, commanders: Commanders): boolean {
  if (isBetweenEdges(command)) return maySpeakFor(sender, command.from);
  return commanders === 'any' || (sender.user !== undefined && commanders.has(sender.user));
}

/**
 * Takes commands from `mesh.control`. Their queue is exclusive to this edge's consuming connection: where there is none,
 * other edges conclude that this one consumes no session either.
 */
export class Commands {
  readonly #queue: OwnQueue;
  readonly #arrivals = new Arrivals();

  constructor({ node, control, handlers, commanders, log }: CommandsOptions) {
    const [leftOut, refused] = [new LogLimit(logEveryMs), new LogLimit(logEveryMs)];
    const warn = (limit: LogLimit, command: EdgeCommand, sender: Sender, why: string) => {
      const suppressed = limit.pass(performance.now());
      if (suppressed === undefined) return;
      log.warn({ command: command.command, user: sender.user, suppressed }, why);
    };
    this.#queue = control.commands(
      node,
      (command, sender, isLate) => {
        if (isLate && !isAskedAgain(command))
          return warn(leftOut, command, sender, 'command left out: its sender has given it up');
        if (mayCommand(command, sender, commanders)) return dispatch(handlers, command);
        const whose = isBetweenEdges(command)
          ? 'not from the user of the edge that it names'
          : 'not from a user of EVENKEEL_BALANCER_USER';
        warn(refused, command, sender, `command refused: ${whose}`);
      },
      { log, arrivals: this.#arrivals },
    );
  }

  /** Resolves once commands arrive; waits for the broker as long as it takes. */
  async start(signal: AbortSignal): Promise<void> {
    this.#arrivals.start();
    await this.#queue.start(signal);
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
    this.#arrivals.stop();
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
