/** Who attacks: a process of its own, at idle priority, so that its own work is not taken for the harm that it does. */

import { setPriority } from 'node:os';
import type { Seen } from './attack.js';
import { attacks } from './rows.js';
import { type Extra, type Places, World } from './world.js';

export interface Order {
  readonly attack: string;
  readonly places: Places;
}

export type Report =
  | { readonly kind: 'seen'; readonly seen: Seen }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'restart'; readonly extra: Extra };

const idle = 19;
setPriority(idle);

const waiting: (() => void)[] = [];

function tell(report: Report): void {
  process.send?.(report);
}

async function run({ attack, places }: Order): Promise<void> {
  const world = new World(places, async (extra) => {
    const isBack = new Promise<void>((resolve) => waiting.push(resolve));
    tell({ kind: 'restart', extra });
    await isBack;
  });
  try {
    const found = attacks.find(({ name }) => name === attack);
    if (found === undefined) throw new Error(`there is no attack ${attack}`);
    tell({ kind: 'seen', seen: await found.run(world) });
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  } finally {
    await world.close();
  }
}

process.on('message', (order: Order | 'restarted') => {
  if (order === 'restarted') waiting.shift()?.();
  else void run(order);
});
process.on('disconnect', () => process.exit(0));
