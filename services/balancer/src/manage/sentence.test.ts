import { expect, it } from 'vitest';
import { type Condition, sentenceOf } from './sentence.js';

const node = (name: string, sessions: number, state = 'active') => ({ node: name, state, sessions });
const calm: Condition = {
  nodes: [node('e1', 20), node('e2', 20), node('e3', 20)],
  plan: undefined,
  mode: 'auto',
  pausedBy: undefined,
  isPaused: false,
  isComplete: true,
  silentMs: undefined,
  maxOverMean: 1,
  isLevel: true,
  held: undefined,
  why: 'level within the thresholds',
};
const said = (more: Partial<Condition>) => sentenceOf({ ...calm, ...more });

it('says what is and that nothing runs', () => {
  expect(said({})).toBe('3 nodes with 60 sessions, level; nothing runs.');
  expect(said({ nodes: [node('e1', 1)] })).toBe('1 node with 1 session; nothing runs.');
  expect(said({ nodes: [] })).toBe('No node is there; nothing runs.');
  const off = { isLevel: false, maxOverMean: 1.5, why: 'e2 is joining' };
  expect(said(off)).toContain(', the fullest 50 % over the mean; nothing runs yet: e2 is joining.');
  expect(said({ ...off, mode: 'manual' })).toContain('; nothing runs; nothing is levelled');
});

it('says what runs, how far it is and how long it takes', () => {
  const plan = { kind: 'rebalance', state: 'running', done: 30, total: 60, etaMs: 2_900 };
  expect(said({ plan })).toContain('; levelling, 30 of 60 moved, about 3 s to go.');
  expect(said({ plan: { ...plan, state: 'paused' } })).toContain('; levelling, 30 of 60 moved, paused.');
  expect(said({ plan: { ...plan, done: 60 } })).toContain('; levelling, 60 of 60 moved.');
});

it('says what is wrong: who has paused it, which nodes are silent, and who stays where', () => {
  expect(said({ isPaused: true, pausedBy: { by: 'ann', at: 36_120_000 } })).toContain(
    '; levelling is paused by ann since 10:02 UTC.',
  );
  expect(said({ mode: 'manual' })).toContain('; nothing is levelled without being asked for: manual mode.');
  expect(said({ nodes: [node('e1', 1), node('e2', 1, 'suspect')] })).toBe(
    '2 nodes with 1 session; nothing runs; e2 does not report.',
  );
  const blocked = [node('e1', 1), { ...node('e2', 1), amqp: { isBlocked: true as const, recovering: 2 } }];
  expect(said({ nodes: blocked })).toContain(
    '; e2 is blocked by an alarm of RabbitMQ; e2 has lost consumers and makes them again.',
  );
  const low = { part: 0.9, of: 'process', isLow: true } as const;
  expect(said({ nodes: [{ ...node('e1', 1, 'cordoned'), memory: low }, node('e2', 1)] })).toBe(
    '2 nodes with 2 sessions; nothing runs; e1 is low on memory.',
  );
  const staying = {
    ...node('e1', 3, 'cordoned'),
    drain: { state: 'stayed', why: 'its deadline has passed' },
  };
  expect(said({ nodes: [staying] })).toContain('; e1 is not empty, 3 stay: its deadline has passed.');
  const drained = { ...node('e1', 0, 'draining'), drain: { state: 'empty' } };
  expect(said({ nodes: [drained, node('e2', 9)] })).toContain('; nothing runs; e1 is drained.');
  expect(said({ nodes: [{ ...node('e1', 3), pinned: 2 }] })).toContain('; 2 sessions pinned by the front.');
});

it('says that it shows the last view, and that a balancer has just begun', () => {
  expect(said({ silentMs: 12_000, isComplete: false })).toBe(
    '3 nodes with 60 sessions, level when they were last heard, 12 s ago; nothing runs; no node is heard, so it may be the broker.',
  );
  expect(said({ isComplete: false })).toContain('and perhaps others: this balancer has just begun to lead;');
});
