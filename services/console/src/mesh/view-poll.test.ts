import { OperatorError, type StatusAnswer } from 'evenkeel';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { MeshView } from '../api.js';
import { ViewPoll } from './view-poll.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function poll(ask: () => Promise<StatusAnswer>, readiness: () => true | string = () => true) {
  return new ViewPoll({ ask, readiness, everyMs: 1_000, now: () => Date.now(), clock: () => Date.now() });
}

const status: StatusAnswer = { ok: true, nodes: [], leader: 'b' };
const passing = (ms: number) => vi.advanceTimersByTimeAsync(ms);

it('asks once a second for all who watch, and not at all while nobody does', async () => {
  const ask = vi.fn(async () => status);
  const views = poll(ask);
  await passing(5_000);
  expect(ask).toHaveBeenCalledTimes(0);
  const seen: string[] = [];
  const ends = ['a', 'b', 'c'].map((name) => views.watch(() => seen.push(name)));
  await passing(2_500);
  expect(ask).toHaveBeenCalledTimes(3);
  for (const name of ['a', 'b', 'c'])
    expect(seen.filter((each) => each === name).length).toBeGreaterThanOrEqual(3);
  for (const end of ends) end();
  await passing(10_000);
  expect(ask).toHaveBeenCalledTimes(3);
});

it('whoever begins to watch beside others gets the last view at once, with its age', async () => {
  const views = poll(async () => status);
  const first = views.watch(() => {});
  await passing(600);
  let got: MeshView | undefined;
  const second = views.watch((text) => {
    got ??= JSON.parse(text);
  });
  expect(got).toMatchObject({ status: { leader: 'b' }, ageMs: 600, broker: { isConnected: true } });
  first();
  second();
});

it('whoever begins to watch alone gets the last view too, with its age, though nobody answers any more', async () => {
  let answer: () => Promise<StatusAnswer> = async () => status;
  const views = poll(() => answer());
  const leave = views.watch(() => {});
  await passing(1_500);
  leave();
  await passing(3_500);
  answer = () => Promise.reject(new OperatorError('timeout', 'no balancer answered'));
  const seen: MeshView[] = [];
  const end = views.watch((text) => seen.push(JSON.parse(text)));
  await passing(2_500);
  expect(seen[0]).toMatchObject({ status: { leader: 'b' }, ageMs: 4_000, error: { code: 'timeout' } });
  expect(seen[1]).not.toHaveProperty('status');
  end();
});

it('goes on each second while nobody answers, says why once that is known, and takes old news for no news', async () => {
  let answer: () => Promise<StatusAnswer> = async () => status;
  const views = poll(
    () => answer(),
    () => 'the broker is away',
  );
  const seen: MeshView[] = [];
  const end = views.watch((text) => seen.push(JSON.parse(text)));
  await passing(500);
  expect(seen.at(-1)).toMatchObject({ status: { leader: 'b' } });
  answer = () =>
    new Promise((_resolve, reject) =>
      setTimeout(() => reject(new OperatorError('timeout', 'no balancer answered')), 2_500),
    );
  await passing(3_000);
  expect(seen.length).toBeGreaterThanOrEqual(3);
  expect(seen.at(-1)).not.toHaveProperty('status');
  expect(seen.at(-1)?.broker).toEqual({ isConnected: false, why: 'the broker is away' });
  await passing(1_500);
  expect(seen.at(-1)?.error).toEqual({ code: 'timeout', message: 'no balancer answered' });
  end();
});
