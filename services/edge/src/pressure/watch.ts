import type { Log } from '@evenkeel/runtime';
import type { EdgeConfig } from '../config.js';
import { collectGarbage } from '../memory/collect.js';
import type { EdgeNode } from '../node.js';
import { MemoryGauge, nearest, type Uses } from './gauge.js';
import { type Level, Pressure } from './levels.js';
import { Shedding, type Weighed } from './shedding.js';

const lookEveryMs = 1_000;

export interface MemoryWatchOptions {
  config: Pick<EdgeConfig, 'memoryLimitBytes'>;
  node: Pick<EdgeNode, 'usesMemory'>;
  /** Sessions with an open connection. */
  directory: { tracked(): Iterable<Weighed> };
  now(): number;
  log: Pick<Log, 'info' | 'warn'>;
  gauge?: Pick<MemoryGauge, 'read'>;
  collect?: typeof collectGarbage;
}

/**
 * Looks once a second how near this process is to what it may have of memory. Near it the edge takes no newcomers, nearer still it closes
 * slow sockets, and then asks to be relieved of sessions: rather a few now than all of them when it is killed.
 */
export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  readonly #gauge: Pick<MemoryGauge, 'read'>;
  readonly #collect: typeof collectGarbage;
  readonly #pressure = new Pressure();
  readonly #shedding = new Shedding();
  #uses: Uses;
  #level: Level = 'calm';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.#gauge = options.gauge ?? new MemoryGauge(options.config.memoryLimitBytes);
    this.#collect = options.collect ?? collectGarbage;
    this.#uses = this.#gauge.read();
  }

  /** Sockets of slow clients closed. */
  get shed(): number {
    return this.#shedding.count;
  }

  /** At the last look. */
  get uses(): Uses {
    return this.#uses;
  }

  start(): void {
    this.look();
    this.#timer = setInterval(() => this.look(), lookEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What readers of `/readyz` are told; undefined: there is enough. */
  note(): string | undefined {
    if (this.#level === 'calm') return undefined;
    const { part, of } = nearest(this.#uses);
    return `${Math.round(part * 100)} % of the memory limit of the ${of}: no newcomers until it is below 75 %`;
  }

  look(): void {
    const { node, directory, now } = this.#options;
    this.#uses = this.#gauge.read();
    const { part, of } = nearest(this.#uses);
    const nowMs = now();
    const { level, collects } = this.#pressure.look(part, nowMs);
    if (level !== this.#level) this.#tell(level, part, of);
    this.#level = level;
    if (level !== 'short') this.#shedding.rest();
    const isLow = level !== 'calm';
    const isShort = level === 'short' && this.#shedding.look(directory.tracked(), nowMs);
    node.usesMemory({ part, of, ...(isLow && { isLow }), ...(isShort && { isShort }) });
    if (collects) this.#collect('major');
  }

  #tell(level: Level, part: number, of: 'process' | 'heap'): void {
    const { log } = this.#options;
    const { usedBytes, limitBytes } = (of === 'process' && this.#uses.process) || this.#uses.heap;
    const fields = { part, of, usedBytes, limitBytes };
    if (level === 'calm') log.info(fields, 'memory is enough again: newcomers are taken');
    else if (level === 'short') log.warn(fields, 'memory is short: sessions are to go elsewhere');
    else if (this.#level === 'calm') log.warn(fields, 'memory is low: no newcomers are taken');
    else log.info(fields, 'memory is low, and short no more');
  }
}
