import { join } from 'node:path';
import { connect } from '@evenkeel/client';
import { eventually } from '@evenkeel/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { JsonLines } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';

const program = join(import.meta.dirname, '..', 'support', 'numbered-service.mjs');
/** `npm run test:long`: the whole of it. */
const restarts = process.env.EVENKEEL_TEST_RUNS === undefined ? 3 : 10;
const clients = 10;
const perSecond = 100;

interface Numbers {
  readonly session: string;
  readonly confirmed: number[];
}

/** Clients that publish numbers, so many a second together, until they are stopped; each counts for itself. */
function publishing(gateway: string) {
  const all = Array.from({ length: clients }, (_, n) => {
    const client = connect({ gateway, user: `user-${n}`, storage: false });
    onTestFinished(() => client.close());
    return { client, confirmed: [] as number[], next: 0 };
  });
  const failures: unknown[] = [];
  let open = 0;
  let turn = 0;
  const timer = setInterval(() => {
    const each = all[turn++ % clients];
    if (!each) return;
    const n = each.next++;
    open += 1;
    each.client
      .publish('shop.numbers', n)
      .then(() => each.confirmed.push(n))
      .catch((error: unknown) => failures.push(error))
      .finally(() => {
        open -= 1;
      });
  }, 1_000 / perSecond);
  onTestFinished(() => clearInterval(timer));
  return {
    failures,
    ready: () => Promise.all(all.map(({ client }) => client.ready())),
    sent: () => all.reduce((sum, { next }) => sum + next, 0),
    stop: async (): Promise<Numbers[]> => {
      clearInterval(timer);
      await eventually('all are answered', () => open === 0, 30_000);
      return all.map(({ client, confirmed }) => ({ session: client.session ?? '', confirmed }));
    },
  };
}

describe.each(['SIGTERM', 'SIGKILL'] as const)('a service that is restarted by %s under load', (signal) => {
  test(`${restarts} times, handles every confirmed publish, in order of each session`, async () => {
    const mesh = await startTestMesh();
    const start = () => new JsonLines(process.execPath, [program, mesh.urlFor('app-shop')]);
    const serving = (service: JsonLines) =>
      service.until('it serves', (lines) => lines.some((line) => line.serving === true));
    const services = [start()];
    const current = () => services[services.length - 1] ?? start();
    await serving(current());
    const numbers = publishing(mesh.gatewayUrl);
    await numbers.ready();
    for (let n = 0; n < restarts; n++) {
      // It has handled something, so that it goes with its hands full.
      const before = numbers.sent();
      await eventually('a second of publishes', () => numbers.sent() >= before + perSecond, 30_000);
      await current().stop(signal);
      services.push(start());
      await serving(current());
    }
    const published = await numbers.stop();
    const handled = () => services.flatMap(({ lines }) => lines.filter((line) => typeof line.n === 'number'));
    const of = (session: string) =>
      handled().flatMap((line) => (line.session === session ? [Number(line.n)] : []));
    const missing = () =>
      published.flatMap(({ session, confirmed }) => confirmed.filter((n) => !of(session).includes(n)));
    await eventually('all confirmed ones are handled', () => missing().length === 0, 30_000);
    expect(numbers.failures).toEqual([]);
    for (const { session, confirmed } of published) {
      const order = of(session);
      const first = [...new Set(order)];
      expect(first).toEqual([...first].sort((a, b) => a - b));
      expect(confirmed.length).toBeGreaterThan((restarts * perSecond) / clients / 2);
      // What a process has in its hands when it is killed is handled again by the next.
      if (signal === 'SIGTERM') expect(order).toEqual(first);
    }
  });
});
