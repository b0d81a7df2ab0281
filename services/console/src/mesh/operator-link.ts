import { backoffMs, LogLimit, sleep } from '@evenkeel/pace';
import type { Log } from '@evenkeel/runtime';
import {
  type CommandOptions,
  createOperator,
  type ManageCommand,
  type Operator,
  OperatorError,
  type OperatorOptions,
  operatorErrorCodes,
  type StatusAnswer,
} from 'evenkeel';

const retry = { minMs: 250, maxMs: 4_000 };
/** A repeated failure is logged as often. */
const logEveryMs = 30_000;

export interface OperatorLinkOptions {
  readonly operator: OperatorOptions;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly now: () => number;
  /** For tests. */
  readonly create?: typeof createOperator;
}

/** The way to the management interface: an operator that is connected once RabbitMQ is there, and again when it is back. */
export class OperatorLink implements Pick<Operator, 'status' | 'execute' | 'readiness'> {
  readonly #options: OperatorLinkOptions;
  readonly #stopping = new AbortController();
  #operator: Operator | undefined;
  #why = 'not connected to RabbitMQ yet';
  #running: Promise<void> | undefined;

  constructor(options: OperatorLinkOptions) {
    this.#options = options;
  }

  /** Begins to connect. Not waited for: the console is there to say what is wrong, too. */
  start(): void {
    this.#running = this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#operator?.close();
  }

  /** True, or why commands go nowhere at present. */
  readiness(): true | string {
    return this.#operator?.readiness() ?? this.#why;
  }

  /** What its connection to RabbitMQ does; undefined: there has been none yet. */
  figures(): ReturnType<Operator['figures']> | undefined {
    return this.#operator?.figures();
  }

  /** See {@link Operator.status}. */
  async status(): Promise<StatusAnswer> {
    return this.#connected.status();
  }

  /** See {@link Operator.execute}. */
  async execute(command: ManageCommand, options: CommandOptions): Promise<unknown> {
    return this.#connected.execute(command, options);
  }

  /** @throws OperatorError `unreachable` */
  get #connected(): Operator {
    if (this.#operator !== undefined) return this.#operator;
    throw new OperatorError(operatorErrorCodes.unreachable, this.#why);
  }

  async #connect(): Promise<void> {
    const { operator, log, now, create = createOperator } = this.#options;
    const { signal } = this.#stopping;
    const limit = new LogLimit(logEveryMs);
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const connected = await create(operator);
        if (signal.aborted) return await connected.close();
        this.#operator = connected;
        log.info({}, 'connected to RabbitMQ');
        return;
      } catch (error) {
        this.#why = error instanceof Error ? error.message : String(error);
        const suppressed = limit.pass(now());
        if (suppressed !== undefined)
          log.warn({ err: error, suppressed }, 'not connected to RabbitMQ; trying again');
        await sleep(backoffMs(attempt, retry, Math.random), signal).catch(() => undefined);
      }
    }
  }
}
