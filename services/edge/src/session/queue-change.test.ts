import { lastMark, sealHeader } from '@evenkeel/protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { QueueChange, type QueueChangeOptions } from './queue-change.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const last = () =>
  ({ properties: { headers: { [sealHeader]: lastMark } }, ack: () => {} }) as unknown as Parameters<
    QueueChange['takes']
  >[0];

/** A change whose every step is noted; `failing`: those that the broker does not answer, as often. */
function changing(failing: Readonly<Record<string, number>> = {}) {
  const steps: string[] = [];
  const left: Record<string, number> = { ...failing };
  const state = { isSettled: true, isOpen: true };
  const step = async (name: string): Promise<void> => {
    if ((left[name] ?? 0) > 0) {
      left[name] = (left[name] ?? 0) - 1;
      throw new Error('no answer');
    }
    steps.push(name);
  };
  const options: QueueChangeOptions = {
    next: {
      prepare: () => step('prepare'),
      cut: () => step('cut'),
      end: async () => {
        await step('end');
        return true;
      },
      take: () => steps.push('take'),
      finish: () => step('finish'),
      retire: async () => true,
      undo: () => step('undo'),
      giveUp: () => steps.push('give up'),
    },
    isSettled: () => state.isSettled,
    isOpen: () => state.isOpen,
    letGo: async () => steps.push('let go'),
    goOn: async () => void steps.push('consume'),
  };
  return { change: new QueueChange(options), steps, state };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

it('consumes the next queue once the last message of the one before has come and all is acknowledged', async () => {
  const { change, steps, state } = changing();
  state.isSettled = false;
  await pass(400);
  expect(steps).toEqual(['prepare', 'take', 'cut', 'end']);
  expect(change.takes(last())).toBe(true);
  await pass(5_000);
  expect(steps).toHaveLength(4);
  state.isSettled = true;
  await pass(20);
  expect([await change.outcome, steps.slice(4)]).toEqual(['done', ['let go', 'consume', 'finish']]);
});

it('tries again what the broker does not answer', async () => {
  const { change, steps } = changing({ cut: 2, end: 1, finish: 3 });
  await pass(5_000);
  change.takes(last());
  await pass(5_000);
  expect([await change.outcome, steps.at(-1)]).toEqual(['done', 'finish']);
});

it('puts everything back where it cannot be prepared, or somebody wants the session before the cut', async () => {
  const { change, steps } = changing({ prepare: 1 });
  await pass(10);
  expect([await change.outcome, steps]).toEqual(['as-before', ['undo']]);

  const other = changing();
  expect([await other.change.leave(), other.steps]).toEqual(['as-before', ['prepare', 'undo']]);
});

it('goes on with the next queue where the client has gone after the cut, and waits a moment for one that has not', async () => {
  const { change, steps, state } = changing();
  await pass(400);
  state.isSettled = false;
  state.isOpen = false;
  const leaving = change.leave();
  await pass(20);
  expect([await leaving, steps.slice(-2)]).toEqual(['given-up', ['let go', 'finish']]);

  const other = changing();
  await pass(400);
  other.state.isSettled = false;
  const left = other.change.leave();
  await pass(1_000);
  other.change.takes(last());
  other.state.isSettled = true;
  await pass(20);
  expect(await left).toBe('done');
});

it('does nothing more once the channel has gone: who consumes again finds the next queue', async () => {
  const { change, steps } = changing();
  await pass(400);
  change.lost();
  await pass(20);
  expect([await change.outcome, steps]).toEqual(['lost', ['prepare', 'take', 'cut', 'end']]);
});

it('gives up where the channel goes before the cut, or nothing can be put back: either queue may be the one', async () => {
  const { change, steps } = changing();
  change.lost();
  await pass(20);
  expect([await change.outcome, steps]).toEqual(['lost', ['prepare', 'give up']]);

  const other = changing({ prepare: 1, undo: 9 });
  await pass(10_000);
  expect([await other.change.outcome, other.steps]).toEqual(['lost', ['give up']]);
});
