import type { MoveReport, NodeStats } from '@evenkeel/protocol';
import { expect, it, onTestFinished } from 'vitest';
import { MoveLedger } from '../move/ledger.js';
import { EdgeNode } from '../node.js';
import { Load } from '../session/load.js';
import { noCounts } from '../transport/counts.js';
import { Reporter } from './reporter.js';

function make() {
  const stats: NodeStats[] = [];
  const moves: MoveReport[] = [];
  const node = new EdgeNode('edge-1', 'b');
  const ledger = new MoveLedger();
  const amqp: [string, { isBlocked: boolean; recovering: number }][] = [
    ['consuming', { isBlocked: false, recovering: 0 }],
  ];
  const load = new Load();
  const waiting = { waitedMs: 0 };
  const reporter = new Reporter({
    config: { version: '1' },
    set: { weight: 1, live: {} },
    room: { capacity: 10 },
    node,
    channel: {
      send: async (each) => void stats.push(each),
      sendMoves: async (each) => void moves.push(each),
    },
    counts: noCounts(),
    load,
    entrance: waiting,
    directory: { values: () => [].values() },
    ledger,
    rehoming: { brokers: undefined, leaving: undefined },
    amqp: () => amqp,
    now: () => 1,
    wallNow: () => 2,
  });
  onTestFinished(() => reporter.stop());
  return { reporter, node, ledger, amqp, load, waiting, stats, moves };
}

it('reports what became of the last moves when it is stopped within the time that it gathers reports', () => {
  const { reporter, ledger, moves } = make();
  reporter.start();
  const counts = { asked: 1, sent: 1, done: 1, failed: 0, timedOut: 0, refused: 0 };
  ledger.changed({ move: 'm', to: 'edge-2', ...counts, isFinal: true });
  reporter.stop();
  expect(moves).toMatchObject([{ node: 'edge-1', boot: 'b', moves: [{ move: 'm', done: 1 }] }]);
});

it('reports whether clients get here as soon as that is known', () => {
  const { reporter, node, stats } = make();
  node.reaches('checking');
  reporter.start();
  node.reaches('no');
  node.reaches('yes');
  expect(stats.map(({ state, reachable }) => [state, reachable])).toEqual([
    ['cordoned', undefined],
    ['cordoned', false],
    ['active', true],
  ]);
});

it('reports at once that its memory is low, as a cordon with the reason beside it', () => {
  const { reporter, node, stats } = make();
  reporter.start();
  const memory = { part: 0.9, of: 'process' } as const;
  node.usesMemory({ ...memory, isLow: true });
  node.usesMemory(memory);
  expect(stats.map((each) => [each.state, each.memory])).toEqual([
    ['active', undefined],
    ['cordoned', { ...memory, isLow: true }],
    ['active', memory],
  ]);
});

it('reports a change of state at once, with a newer number', () => {
  const { reporter, node, stats } = make();
  reporter.start();
  node.cordon();
  node.drain();
  expect(stats.map(({ seq, state }) => [seq, state])).toEqual([
    [1, 'active'],
    [2, 'cordoned'],
    [3, 'draining'],
  ]);
});

it('reports how long events took to the socket, and how many gaps were told; no time where none was measured', () => {
  const { reporter, load, node, stats } = make();
  load.publishDelays.take({ properties: { headers: { 'evenkeel-at': 1_000 } } }, 1_100);
  load.toldGap('overflow', 2);
  reporter.start();
  node.cordon();
  expect(stats.map(({ publishToSocketP99Ms, gaps }) => [publishToSocketP99Ms, gaps])).toEqual([
    [99.5, 2],
    [99.5, 2],
  ]);
  const { reporter: other, stats: nothing } = make();
  other.start();
  expect(nothing).toMatchObject([{ publishToSocketP99Ms: undefined, gaps: 0 }]);
});

it('reports what is wrong between it and RabbitMQ, of all connections together, and nothing where all is well', () => {
  const { reporter, node, amqp, stats } = make();
  reporter.start();
  expect(stats.at(-1)?.amqp).toBeUndefined();
  amqp.push(
    ['publishing', { isBlocked: true, recovering: 1 }],
    ['clients', { isBlocked: false, recovering: 2 }],
  );
  node.hasChanged();
  expect(stats.at(-1)?.amqp).toEqual({ isBlocked: true, recovering: 3 });
});

it('tells how long those have waited who come in next, where that is longer than a handshake', () => {
  const { reporter, waiting, stats } = make();
  waiting.waitedMs = 4_000;
  reporter.start();
  expect(stats.at(-1)?.handshakeP99Ms).toBe(4_000);
});
