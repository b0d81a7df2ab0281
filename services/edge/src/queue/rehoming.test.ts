import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { QueueChanged } from '../session/queue-change.js';
import { Rehoming } from './rehoming.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const [here, there] = ['mq1:5672', 'mq2:5672'] as const;

class SessionAt {
  readonly state = 'attached';
  move: object | undefined;
  changes = 0;
  outcome: QueueChanged['outcome'] = 'done';
  retired = 0;
  readonly intake: {
    home: string | undefined;
    changes: { isOn: boolean };
    changeQueue(): Promise<QueueChanged>;
  };

  constructor(home: string | undefined) {
    this.intake = {
      home,
      changes: { isOn: false },
      changeQueue: async () => {
        this.changes += 1;
        if (this.outcome !== 'done') return { outcome: this.outcome };
        this.intake.home = here;
        return {
          outcome: 'done',
          retire: async () => {
            this.retired += 1;
          },
        };
      },
    };
  }
}

function edge(sessions: SessionAt[]) {
  const consuming: { address: string | undefined } = { address: here };
  const calls: string[] = [];
  const rehoming = new Rehoming({
    mesh: {
      brokers: { known: [here, there], at: [here] },
      consuming,
      avoid: (broker) => calls.push(`avoid ${broker}`),
      leave: (broker) => calls.push(`leave ${broker}`),
    },
    directory: { values: () => sessions },
    now: () => performance.now(),
    log: { info: () => {} },
  });
  return { rehoming, consuming, calls };
}

it('changes queues that live there or may, and no other, and says how many are left', async () => {
  const sessions = [new SessionAt(there), new SessionAt(undefined), new SessionAt(here)];
  const { rehoming, calls } = edge(sessions);
  rehoming.leave(there, false);
  expect(rehoming.leaving).toEqual({ broker: there, queues: 2 });
  await vi.advanceTimersByTimeAsync(200);
  expect(sessions.map(({ changes }) => changes)).toEqual([1, 1, 0]);
  // What RabbitMQ hands to the queues before late is not lost without a word.
  expect([rehoming.leaving?.queues, sessions[0]?.retired]).toEqual([2, 0]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([rehoming.leaving?.queues, sessions[0]?.retired]).toEqual([0, 1]);
  expect([calls, rehoming.counts.done]).toEqual([[`avoid ${there}`], 2]);
  rehoming.stop();
});

it('waits while it is connected there itself, and tries one that could not be changed again after a second', async () => {
  const session = new SessionAt(there);
  session.outcome = 'as-before';
  const { rehoming, consuming, calls } = edge([session]);
  consuming.address = there;
  rehoming.leave(there, true);
  await vi.advanceTimersByTimeAsync(3_000);
  expect([session.changes, calls]).toEqual([0, [`avoid ${there}`, `leave ${there}`]]);
  consuming.address = here;
  await vi.advanceTimersByTimeAsync(500);
  expect(session.changes).toBe(1);
  session.outcome = 'done';
  await vi.advanceTimersByTimeAsync(12_000);
  expect([session.changes, rehoming.leaving?.queues]).toEqual([2, 0]);
  rehoming.stop();
});

it('leaves alone what is being moved, ends after ten minutes, and takes no broker that it does not know', async () => {
  const session = new SessionAt(there);
  session.move = {};
  const { rehoming, calls } = edge([session]);
  rehoming.leave('mq9:5672', true);
  expect([rehoming.leaving, calls]).toEqual([undefined, []]);
  rehoming.leave(there, false);
  await vi.advanceTimersByTimeAsync(590_000);
  expect([session.changes, rehoming.leaving?.queues]).toEqual([0, 1]);
  await vi.advanceTimersByTimeAsync(11_000);
  expect(rehoming.leaving).toBeUndefined();
});
