import { once } from 'node:events';
import { Cells } from '@evenkeel/pace';
import { expect, it } from 'vitest';
import { placer, stats } from '../../testing/placing.js';
import { TurnedAway } from '../routes/turned-away.js';
import { GatewayCells, type HeldCell } from './gateway-cells.js';

/** A cell that is ready, or is not, as the test says. */
class FakeCell implements HeldCell {
  readonly placer = placer();
  readonly closed = placer();
  isOpen = true;
  readonly turnedAway = new TurnedAway(() => [], { info: () => {}, warn: () => {} });
  readonly denied = new Set<string>();
  readonly amqpUrl: string;
  state: 'made' | 'started' | 'stopped' = 'made';
  fault: string | undefined;
  isThere: Promise<void> = Promise.resolve();

  constructor(amqpUrl: string) {
    this.amqpUrl = amqpUrl;
  }
  get placing() {
    return this.isOpen ? this.placer : this.closed;
  }
  denies({ uid }: { uid: string }): boolean {
    return this.denied.has(uid);
  }
  *figures(): ReturnType<HeldCell['figures']> {}
  readiness() {
    return { broker: this.fault ?? (true as const), statistics: true as const, denials: true as const };
  }
  notes() {
    return { denials: undefined, refresh: undefined, alarm: undefined, view: undefined };
  }
  readonly parts = ['broker', 'denials'].map((name) => [name, this] as const);
  async start(): Promise<void> {
    await this.isThere;
    this.state = 'started';
  }
  async stop(): Promise<void> {
    this.state = 'stopped';
  }
}

const mapOf = (cells: Record<string, object>, users: object = {}) =>
  Cells.read(
    JSON.stringify({
      cells: Object.fromEntries(
        Object.entries(cells).map(([name, more]) => [name, { amqpUrl: `amqp://${name}`, ...more }]),
      ),
      users,
    }),
  );

function gateway(first: Cells | undefined) {
  const made = new Map<string | undefined, FakeCell>();
  let map = first;
  const cells = new GatewayCells({
    map,
    read: () => map,
    amqpUrl: 'amqp://only',
    make: (amqpUrl, name) => {
      if (amqpUrl.includes('unusable')) throw new Error('use amqps://');
      const cell = new FakeCell(amqpUrl);
      made.set(name, cell);
      return cell;
    },
    log: { info: () => {}, error: () => {} },
  });
  const cell = (name?: string): FakeCell => made.get(name) ?? new FakeCell('none');
  const reload = (next: Cells) => {
    map = next;
    cells.reload();
  };
  return { cells, cell, reload };
}

const users = { alice: 'north', bob: 'south', carol: { cell: 'south', was: 'north' } };

it('without a map there is one cell, and everything is about it', () => {
  const { cells, cell } = gateway(undefined);
  expect(cells.placerOf('alice')).toBe(cell().placer);
  cell().fault = 'not connected';
  expect(cells.readiness('broker')).toBe('not connected');
  expect(cells.down()).toBeUndefined();
  expect(cells.snapshot(0)).toEqual(cell().placer.snapshot(0));
});

it('a user is placed in the cell that the map gives, and kept out by that of before too', () => {
  const { cells, cell } = gateway(mapOf({ north: {}, south: {} }, users));
  expect(cells.placerOf('alice')).toBe(cell('north').placer);
  expect(cells.placerOf('carol')).toBe(cell('south').placer);
  for (const uid of ['alice', 'bob', 'carol']) cell('north').denied.add(uid);
  expect(['alice', 'bob', 'carol'].map((uid) => cells.denies({ uid, sid: undefined }))).toEqual([
    true,
    false,
    true,
  ]);
});

it('whoever may be in a cell whose denials are not known yet is placed nowhere', () => {
  const { cells, cell } = gateway(mapOf({ north: {}, south: {} }, users));
  cell('north').isOpen = false;
  expect(cells.placerOf('bob')).toBe(cell('south').placer);
  for (const user of ['alice', 'carol']) expect(cells.placerOf(user)).toBe(cell('north').closed);
});

it('a cell that is down concerns its users: the gateway is ready as long as one is', () => {
  const { cells, cell } = gateway(mapOf({ north: {}, south: {} }));
  cell('north').fault = 'RabbitMQ does not answer';
  expect(cells.readiness('broker')).toBe(true);
  expect(cells.down()).toBe('north: RabbitMQ does not answer');
  cell('north').fault = undefined;
  cell('south').fault = 'RabbitMQ does not answer';
  expect(cells.readiness('broker')).toBe(true);
  expect(cells.down()).toBe('south: RabbitMQ does not answer');
  cell('north').fault = 'RabbitMQ does not answer';
  expect(cells.readiness('broker')).toBe('north: RabbitMQ does not answer');
});

it('a cell that is down at the start keeps nobody else waiting', async () => {
  const { cells, cell } = gateway(mapOf({ north: {}, south: {} }));
  cell('south').isThere = new Promise(() => {});
  await cells.start(new AbortController().signal);
  expect(cell('north').state).toBe('started');
});

it('one cell alone starts as its parts, which are named; several are one step, and none is left open by a start that is stopped', async () => {
  const { signal } = new AbortController();
  const namesOf = (of: GatewayCells) =>
    ['broker', 'denials', 'cells'].filter((name) => of.step(name, signal).start !== undefined);
  expect(namesOf(gateway(undefined).cells)).toEqual(['broker', 'denials']);
  const { cells, cell } = gateway(mapOf({ north: {}, south: {} }));
  expect(namesOf(cells)).toEqual(['cells']);
  const stopping = new AbortController();
  const aborted = once(stopping.signal, 'abort').then(() => Promise.reject(new Error('aborted')));
  for (const name of ['north', 'south']) cell(name).isThere = aborted;
  const start = cells.start(stopping.signal);
  stopping.abort();
  await expect(start).rejects.toThrow('aborted');
  expect([cell('north').state, cell('south').state]).toEqual(['stopped', 'stopped']);
});

it('the longest silence of a cell is the one that is told', () => {
  const { cells, cell } = gateway(mapOf({ north: {}, south: {} }));
  cell('north').placer.observe(stats('n1'), 0);
  cell('south').placer.observe(stats('s1'), 19_500);
  expect(cells.silentMs(20_000)).toBe(20_000);
  cell('north').placer.observe(stats('n1'), 20_000);
  expect(cells.silentMs(20_000)).toBeUndefined();
});

it('an edge of another cell is of no use to a session, and one that nobody knows may be', () => {
  const { cells, cell } = gateway(mapOf({ north: {}, south: {} }, users));
  cell('north').placer.observe(stats('n1'), 0);
  cell('south').placer.observe(stats('s1'), 0);
  expect(['n1', 's1', 'gone'].map((node) => cells.isElsewhere('alice', node))).toEqual([false, true, false]);
});

it('a session of another cell counts as a new one, since its queue is made', () => {
  const p = placer({ newSessionsPerSecond: 1 });
  p.observe(stats('n1'), 0);
  const arrive = (uid: string, isFromElsewhere: boolean) =>
    p.place({ uid, sid: 's', isFromElsewhere }, 0).kind;
  expect(['a', 'b', 'c', 'd'].map((uid) => arrive(uid, false))).not.toContain('refused');
  expect(['e', 'f', 'g', 'h'].map((uid) => arrive(uid, true))).toContain('refused');
});

it('a map with an address that these settings cannot use changes nothing', async () => {
  const { cells, cell, reload } = gateway(mapOf({ north: {}, south: {} }, users));
  await cells.start(new AbortController().signal);
  const [north, south] = [cell('north'), cell('south')];
  expect(() => reload(mapOf({ east: {}, west: { amqpUrl: 'amqp://unusable' } }))).toThrow('use amqps://');
  expect([north.state, south.state]).toEqual(['started', 'started']);
  expect(cells.placerOf('alice')).toBe(north.placer);
  expect((cells.snapshot(0) as { cells: { cell: string }[] }).cells).toMatchObject([
    { cell: 'north' },
    { cell: 'south' },
  ]);
});

it('takes a new map: a cell that comes is started, one that goes or has another address is left, the rest stay', async () => {
  const { cells, cell, reload } = gateway(mapOf({ north: {}, south: {}, west: {} }));
  await cells.start(new AbortController().signal);
  const [north, south, west] = [cell('north'), cell('south'), cell('west')];
  reload(mapOf({ north: { weight: 0, was: 1 }, south: { amqpUrl: 'amqp://elsewhere' }, east: {} }));
  await Promise.resolve();
  expect([north.state, south.state, west.state]).toEqual(['started', 'stopped', 'stopped']);
  expect(cell('north')).toBe(north);
  expect(cell('south')).not.toBe(south);
  expect([cell('south').state, cell('east').state]).toEqual(['started', 'started']);
  const shown = cells.snapshot(0) as { cells: { cell: string; weight: number }[] };
  expect(shown.cells.map((each) => [each.cell, each.weight])).toEqual([
    ['east', 1],
    ['north', 0],
    ['south', 1],
  ]);
});
