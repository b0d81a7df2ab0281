/** Who attacks: a process of its own, so that its own work is not taken for the harm that it does. */

import type { Seen } from './attack.js';
import { attacks } from './rows.js';
import { type Extra, type Places, World } from './world.js';

export interface Order {
  readonly attack: string;
  readonly places: Places;
}

export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'seen'; readonly seen: Seen }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'restart'; readonly extra: Extra }
  | { readonly kind: 'issuer'; readonly mode: string };

/** What help ends with. */
export interface Given {
  readonly asked: number;
}

/** Who waits for help, in the order in which it was asked for. */
const waiting: ((given: Given) => void)[] = [];

function tell(report: Report): void {
  process.send?.(report);
}

async function run({ attack, places }: Order): Promise<void> {
  const helped = async (report: Report): Promise<Given> => {
    const given = new Promise<Given>((resolve) => waiting.push(resolve));
    tell(report);
    return given;
  };
  const world = new World(places, {
    restart: async (extra) => void (await helped({ kind: 'restart', extra })),
    tellIssuer: (mode) => helped({ kind: 'issuer', mode }),
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

process.on('message', (message: Order | Given) => {
  if ('asked' in message) waiting.shift()?.(message);
  else void run(message);
});
process.on('disconnect', () => process.exit(0));
tell({ kind: 'ready' });
