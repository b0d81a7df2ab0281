import { expect, it } from 'vitest';
import { Lookups } from './lookups.js';

function lookups() {
  const open: { uid: string; resolve(found: number): void; reject(error: Error): void }[] = [];
  const look = (uid: string) =>
    new Promise<number>((resolve, reject) => {
      open.push({ uid, resolve, reject });
    });
  return { open, lookups: new Lookups(look) };
}
const turns = () => new Promise((resolve) => setImmediate(resolve));

it('a hundred questions to one user need two looks, in their order, and another user none of that', async () => {
  const { open, lookups: of } = lookups();
  const told: string[] = [];
  for (let n = 0; n < 100; n += 1) void of.find('a').then((found) => told.push(`${n}:${found}`));
  void of.find('b').then((found) => told.push(`b:${found}`));
  expect(open.map(({ uid }) => uid)).toEqual(['a', 'b']);
  open[1]?.resolve(7);
  await turns();
  expect(told).toEqual(['b:7']);
  open[0]?.resolve(1);
  await turns();
  expect(told).toEqual(['b:7', '0:1']);
  expect(open).toHaveLength(3);
  open[2]?.resolve(2);
  await turns();
  expect(told.slice(2)).toEqual(Array.from({ length: 99 }, (_, n) => `${n + 1}:2`));
  void of.find('a');
  expect(open).toHaveLength(4);
});

it('a look that fails fails those that wait for it, not those behind', async () => {
  const { open, lookups: of } = lookups();
  const first = of.find('a').catch((error: Error) => error.message);
  const second = of.find('a');
  open[0]?.reject(new Error('busy'));
  expect(await first).toBe('busy');
  await turns();
  open[1]?.resolve(2);
  expect(await second).toBe(2);
});
