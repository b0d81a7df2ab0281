import type { NodeStats } from '@evenkeel/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counted, hearing, placer, stats } from '../../testing/placing.js';

const place = (p: ReturnType<typeof placer>, tried: readonly string[], nowMs = 10) => {
  const placed = p.place({ uid: 'u', sid: 's', tried }, nowMs);
  return placed.kind === 'placed' ? placed.node : placed.reason;
};

describe('nodes that a client has tried', () => {
  it('are avoided while any other may take it, by load as on a ring, and count again when only they are left', () => {
    const states = fc.array(fc.constantFrom<NodeStats['state']>('active', 'cordoned', 'draining'), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(
        states,
        fc.array(fc.nat(9), { maxLength: 8 }),
        fc.constantFrom<'least-loaded' | 'consistent-hash'>('least-loaded', 'consistent-hash'),
        fc.integer(),
        (nodes, numbers, strategy, seed) => {
          const p = placer({ rules: { strategy }, seed });
          for (const [i, state] of nodes.entries()) p.observe(stats(`e${i}`, { state }), 0);
          const tried = numbers.map((n) => `e${n}`);
          const active = nodes.flatMap((state, i) => (state === 'active' ? [`e${i}`] : []));
          const others = active.filter((node) => !tried.includes(node));
          const open = others.length > 0 ? others : active;
          if (open.length === 0) expect(place(p, tried)).toBe('none');
          else expect(open).toContain(place(p, tried));
        },
      ),
    );
  });

  it('are avoided though they are less loaded, of the newest version, or the others are in doubt', () => {
    const p = placer();
    p.observe(stats('tried', { version: '1.2.0' }), 2_900);
    p.observe(stats('old', { connections: 900, version: '1.1.0' }), 2_900);
    expect([place(p, ['tried'], 3_000), place(p, [], 3_000)]).toEqual(['old', 'tried']);
    const q = placer();
    q.observe(stats('late'), 0);
    hearing(q, 0, 2_000);
    q.observe(stats('tried'), 2_900);
    expect([place(q, ['tried'], 2_950), place(q, [], 2_950)]).toEqual(['late', 'tried']);
  });

  it('take the client when the others are full, and not when those only have no slot at this moment', () => {
    const p = placer();
    p.observe(stats('tried'), 0);
    p.observe(stats('full', { connections: 10, capacity: 10 }), 0);
    expect(place(p, ['tried'])).toBe('tried');
    const q = placer({ base: 1 });
    q.observe(stats('tried'), 0);
    q.observe(stats('busy'), 0);
    const answers = Array.from({ length: 50 }, () => place(q, ['tried']));
    expect([...counted(answers).keys()]).toEqual(['busy', 'wait']);
  });

  it('that are not known change nothing', () => {
    const p = placer();
    p.observe(stats('a'), 0);
    expect(place(p, ['gone', 'never'])).toBe('a');
  });
});

it('a node that has fallen silent is reported as forgotten, once', () => {
  const forgotten: string[] = [];
  const p = placer({ forgotten: (node) => forgotten.push(node) });
  p.observe(stats('a'), 0);
  hearing(p, 0, 13_000);
  p.observe(stats('b'), 14_000);
  expect(place(p, [], 14_999)).toBe('b');
  for (const nowMs of [15_000, 15_001, 15_400]) expect(place(p, [], nowMs)).toBe('b');
  expect(forgotten).toEqual(['a']);
});
