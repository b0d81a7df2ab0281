import { describe, expect, it } from 'vitest';
import { Bench, until } from './balancer-fixture.js';

describe('a balancer over real AMQP', () => {
  it('gives a node that joins exactly its share, moving nobody twice and no more than needed', async () => {
    const bench = await Bench.open();
    await bench.edge({ node: 'e1', sessions: 300 });
    await bench.edge({ node: 'e2', sessions: 300 });
    await bench.balancer('b1');
    await until('known', 30_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 2);
    await bench.edge({ node: 'e3' });
    await until('level', 20_000, () => Object.values(bench.counts()).join() === '200,200,200');
    expect(bench.counts()).toEqual({ e1: 200, e2: 200, e3: 200 });
    expect(bench.mesh.moves.size).toBe(200);
    expect(Math.max(...bench.mesh.moves.values())).toBe(1);
  });

  it('empties a node that says it is draining onto the others evenly, and fills it when it returns', async () => {
    const bench = await Bench.open();
    const e1 = await bench.edge({ node: 'e1', sessions: 200 });
    await bench.edge({ node: 'e2', sessions: 200 });
    await bench.edge({ node: 'e3', sessions: 200 });
    await bench.balancer('b1');
    await until('known', 30_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 3);
    e1.setState('draining');
    await until('empty', 30_000, () => e1.sessions.size === 0);
    expect(bench.counts()).toEqual({ e1: 0, e2: 300, e3: 300 });
    await e1.stop();
    await bench.edge({ node: 'e1' });
    await until('level again', 20_000, () => Object.values(bench.counts()).every((n) => n === 200));
  });
});
