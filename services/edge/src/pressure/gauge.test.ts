import { describe, expect, it } from 'vitest';
import { type Measure, MemoryGauge, nearest } from './gauge.js';

const hostBytes = 8_000;

function gauge(setBytes: number | undefined, more: Partial<Measure> = {}) {
  return new MemoryGauge(setBytes, {
    rssBytes: () => 600,
    constrainedBytes: () => undefined,
    totalBytes: () => hostBytes,
    heap: () => ({ used_heap_size: 100, heap_size_limit: 1_000 }),
    ...more,
  });
}

describe('memory of a process', () => {
  it.each([
    ['no setting and no cgroup', undefined, undefined, undefined],
    ['a cgroup', undefined, 2_000, 2_000],
    ['a setting', 3_000, undefined, 3_000],
    ['both, of which the smaller counts', 3_000, 2_000, 2_000],
    ['both, of which the smaller counts, the other way round', 1_000, 2_000, 1_000],
    ['a cgroup that bounds nothing, as version 1 writes it', undefined, 2 ** 63 - 4_096, undefined],
    ['a cgroup that bounds nothing, as Node 22 says it', undefined, 0, undefined],
    ['a cgroup as large as the host', undefined, hostBytes, undefined],
  ])('is bounded with %s', (_what, setBytes, constrained, limitBytes) => {
    const { process } = gauge(setBytes, { constrainedBytes: () => constrained }).read();
    expect(process).toEqual(limitBytes === undefined ? undefined : { usedBytes: 600, limitBytes });
  });

  it('is measured by whichever limit is nearer to being met', () => {
    expect(nearest(gauge(undefined).read())).toEqual({ part: 0.1, of: 'heap' });
    expect(nearest(gauge(1_000).read())).toEqual({ part: 0.6, of: 'process' });
    const heap = () => ({ used_heap_size: 910, heap_size_limit: 1_000 });
    expect(nearest(gauge(1_000, { heap }).read())).toEqual({ part: 0.91, of: 'heap' });
  });

  it('is as it was where it cannot be read, and follows a limit that is changed', () => {
    let constrained: number | undefined = 1_000;
    let rss: () => number = () => 700;
    const changing = gauge(undefined, { constrainedBytes: () => constrained, rssBytes: () => rss() });
    expect(nearest(changing.read())).toEqual({ part: 0.7, of: 'process' });
    rss = () => {
      throw new Error('EMFILE');
    };
    constrained = undefined;
    expect(nearest(changing.read())).toEqual({ part: 0.7, of: 'process' });
    constrained = 2_000;
    expect(nearest(changing.read())).toEqual({ part: 0.35, of: 'process' });
  });

  it('of this process can be measured', () => {
    const { process, heap } = new MemoryGauge(1e12).read();
    expect(process?.usedBytes).toBeGreaterThan(10_000_000);
    expect(heap.usedBytes).toBeGreaterThan(1_000_000);
    expect(heap.limitBytes).toBeGreaterThan(heap.usedBytes);
  });
});
