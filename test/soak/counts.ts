import { readdirSync, readFileSync } from 'node:fs';
import type { Member } from '@evenkeel/local';
import type { Stage } from '../delivery/run/stage.js';
import type { Sample } from './slope.js';

/** A thing that could leak, and growth of it that is none. */
interface Kind {
  readonly allowed: number;
  readonly unit: string;
}

const megabyte = 1_048_576;
const tries = 5;
export const kinds = {
  rss: { allowed: 24, unit: 'MiB' },
  files: { allowed: 6, unit: '' },
  queues: { allowed: 8, unit: '' },
  bindings: { allowed: 16, unit: '' },
  channels: { allowed: 8, unit: '' },
  connections: { allowed: 3, unit: '' },
} as const satisfies Readonly<Record<string, Kind>>;

export interface Series {
  readonly of: string;
  readonly kind: keyof typeof kinds;
  readonly samples: Sample[];
}

/** RabbitMQ gives up where what it lists goes meanwhile. */
async function listing(list: () => Promise<string>): Promise<string> {
  for (let left = tries; ; left -= 1) {
    try {
      return await list();
    } catch (error) {
      if (left <= 1) throw error;
    }
  }
}

/** Memory and open files of each process, and what the broker holds: once more each time that it is asked. */
export class Counts {
  readonly series: Series[] = [];
  readonly #stage: Stage;
  readonly #beganAtMs = performance.now();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async sample(): Promise<void> {
    const { mesh, broker } = this.#stage;
    const { gateway, balancers, edges } = mesh;
    for (const member of [gateway, ...balancers, ...edges]) this.#process(member);
    for (const [kind, command] of [
      ['queues', 'list_queues'],
      ['bindings', 'list_bindings'],
      ['channels', 'list_channels'],
      ['connections', 'list_connections'],
    ] as const) {
      const fields = kind === 'bindings' ? ['source_name'] : kind === 'queues' ? ['name'] : ['pid'];
      const listed = await listing(() => broker.ctl([command, ...fields, '--no-table-headers']));
      this.#add('broker', kind, listed.split('\n').filter((line) => line !== '').length);
    }
  }

  #process({ name, pid }: Member): void {
    if (pid === null) return;
    const rssKiB = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    this.#add(name, 'rss', (rssKiB * 1_024) / megabyte);
    this.#add(name, 'files', readdirSync(`/proc/${pid}/fd`).length);
  }

  #add(of: string, kind: Series['kind'], value: number): void {
    let series = this.series.find((each) => each.of === of && each.kind === kind);
    if (series === undefined) {
      series = { of, kind, samples: [] };
      this.series.push(series);
    }
    series.samples.push({ atMs: performance.now() - this.#beganAtMs, value });
  }
}
