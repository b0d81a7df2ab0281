import type { Publisher, PublishOutcome } from '@evenkeel/broker';
import type { EdgeCommand, EdgeReply, MoveReport, NodeStats } from '@evenkeel/protocol';
import { statsOf } from '@evenkeel/testkit';
import { expect, it } from 'vitest';
import { Arrivals } from './arrivals.js';
import { Control, readCommands } from './control.js';
import { OwnQueue, type OwnQueueOptions } from './own-queue.js';
import { readReport, StatsChannel } from './stats.js';
import { FakeConnection } from './testing/fake-connection.js';

/** A mesh that keeps what is sent, and the last queue that was asked for. */
function fakeMesh() {
  const sent: {
    exchange: string;
    key: string;
    body: string;
    properties: object;
    waitMs: number | undefined;
  }[] = [];
  const publish = async (...args: Parameters<Publisher['publish']>): Promise<PublishOutcome> => {
    const [exchange, key, body, properties = {}, waitMs] = args;
    sent.push({ exchange, key, body: String(body), properties, waitMs });
    return 'routed';
  };
  const connection = new FakeConnection();
  connection.exchanges.add('mesh.control').add('mesh.stats');
  const mesh = {
    user: 'edge-e1',
    publisher: { publish } as Publisher,
    ownQueue: (options: OwnQueueOptions) => new OwnQueue(connection, options),
  };
  return { sent, connection, control: new Control(mesh), stats: new StatsChannel(mesh) };
}

const body = (value: unknown) => Buffer.from(JSON.stringify(value));
const movesOf = (node: string): MoveReport => ({ v: 1, node, boot: 'b', at: 1, moves: [] });
const onControl = { exchange: 'mesh.control' };
const onStats = { exchange: 'mesh.stats' };
const reply: EdgeReply = { ask: 'q', node: 'e1', boot: 'b', sessions: [] };

it('sends everything as JSON that says so, in its own name, and that expires', async () => {
  const { sent, control, stats } = fakeMesh();
  await control.send('e1', { command: 'cordon' }, 5_000);
  await control.sendToAll({ command: 'uncordon' }, 4_000);
  await control.reply('b1', reply);
  await stats.send(statsOf('e1'));
  await stats.sendMoves(movesOf('e1'));
  expect(sent.map(({ exchange, key }) => `${exchange} ${key}`)).toEqual([
    'mesh.control edge.e1',
    'mesh.control all',
    'mesh.control reply.b1',
    'mesh.stats stats.e1',
    'mesh.stats moves.e1',
  ]);
  for (const { properties } of sent)
    expect(properties).toMatchObject({ contentType: 'application/json', userId: 'edge-e1' });
  const expiries = sent.map(
    ({ properties, waitMs }) => waitMs ?? ('expiration' in properties && properties.expiration),
  );
  expect(expiries).toEqual([5_000, 4_000, 1_000, 5_000, 30_000]);
});

it('reads one command or several, and leaves out what is none', () => {
  const cordon: EdgeCommand = { command: 'cordon' };
  const read = (value: unknown) =>
    readCommands({ ...onControl, key: 'edge.e1', body: body(value), properties: { headers: {} } });
  expect(read(cordon)).toEqual([cordon]);
  expect(read([cordon, { command: 'unheard-of' }, 7, cordon])).toEqual([cordon, cordon]);
  expect(
    readCommands({ ...onControl, key: 'edge.e1', body: Buffer.from('{'), properties: { headers: {} } }),
  ).toEqual([]);
});

it('takes statistics and reports on moves under their own key only', () => {
  const seen: string[] = [];
  const listener = {
    onStats: ({ node }: NodeStats) => seen.push(`stats ${node}`),
    onMoves: ({ node }: MoveReport) => seen.push(`moves ${node}`),
  };
  const read = (key: string, value: unknown) =>
    readReport({ ...onStats, key, body: body(value), properties: { headers: {} } }, listener);
  expect(read('stats.e1', statsOf('e1'))).toBeUndefined();
  expect(read('moves.e1', movesOf('e1'))).toBeUndefined();
  expect(read('stats.e2', statsOf('e1'))).toContain('e1');
  expect(read('moves.e2', movesOf('e1'))).toContain('e1');
  expect(read('moves.e1', statsOf('e1'))).toBeDefined();
  expect(
    readReport(
      { ...onStats, key: 'stats.e1', body: Buffer.from('{'), properties: { headers: {} } },
      listener,
    ),
  ).toBeDefined();
  expect(seen).toEqual(['stats e1', 'moves e1']);
});

it('takes statistics and reports on moves of a node from no other node’s user', () => {
  const seen: string[] = [];
  const listener = {
    onStats: ({ node }: NodeStats) => seen.push(`stats ${node}`),
    onMoves: ({ node }: MoveReport) => seen.push(`moves ${node}`),
  };
  for (const userId of ['edge-e2', 'edge-e1', 'edge', 'guest', undefined]) {
    const properties = { headers: {}, userId };
    const isForeign = userId === 'edge-e2';
    const complaint = readReport(
      { ...onStats, key: 'stats.e1', body: body(statsOf('e1')), properties },
      listener,
    );
    expect(complaint === undefined).toBe(!isForeign);
    readReport({ ...onStats, key: 'moves.e1', body: body(movesOf('e1')), properties }, listener);
  }
  expect(seen).toEqual(Array.from({ length: 4 }, () => ['stats e1', 'moves e1']).flat());
});

it('takes nothing that has come by another exchange: its declarer has let it in with any key', async () => {
  const { connection, control } = fakeMesh();
  const seen: unknown[] = [];
  const elsewhere = { exchange: 'edge.e2.mine', properties: { headers: {} } };
  const listener = { onStats: (each: NodeStats) => seen.push(each) };
  expect(readReport({ ...elsewhere, key: 'stats.e1', body: body(statsOf('e1')) }, listener)).toBeDefined();
  expect(readCommands({ ...elsewhere, key: 'edge.e1', body: body({ command: 'cordon' }) })).toEqual([]);
  const queue = control.replies('b1', (each) => seen.push(each), { name: 'balancer.b1.replies' });
  await queue.start();
  connection.deliver({ ...elsewhere, key: 'reply.b1', body: body(reply) });
  expect(seen).toEqual([]);
  await queue.stop();
});

it('takes nothing that another queue has given up: its declarer has chosen the key', async () => {
  const { connection, control } = fakeMesh();
  const seen: unknown[] = [];
  const properties = { headers: { 'x-death': [{}] }, userId: 'balancer' };
  const listener = { onStats: (stats: NodeStats) => seen.push(stats) };
  expect(
    readReport({ ...onStats, key: 'stats.e1', body: body(statsOf('e1')), properties }, listener),
  ).toBeDefined();
  expect(
    readCommands({ ...onControl, key: 'edge.e1', body: body({ command: 'cordon' }), properties }),
  ).toEqual([]);
  const queue = control.replies('b1', (each) => seen.push(each), { name: 'balancer.b1.replies' });
  await queue.start();
  connection.deliver({ ...onControl, key: 'reply.b1', body: body(reply), properties });
  expect(seen).toEqual([]);
  await queue.stop();
});

it('takes a reply under its own key only, and from no other node’s user', async () => {
  const { connection, control } = fakeMesh();
  const seen: EdgeReply[] = [];
  const queue = control.replies('b1', (each) => seen.push(each), { name: 'balancer.b1.replies' });
  await queue.start();
  connection.deliver({ ...onControl, key: 'reply.b1', body: body(reply) });
  connection.deliver({ ...onControl, key: 'reply.b2', body: body(reply) });
  connection.deliver({ ...onControl, key: 'reply.b1', body: body({ ask: 'q' }) });
  connection.deliver({
    ...onControl,
    key: 'reply.b1',
    body: body(reply),
    properties: { headers: {}, userId: 'edge-e2' },
  });
  expect(seen).toEqual([reply]);
  await queue.stop();
});

it('binds the commands of an edge to its own key and to that of all edges, and says who sends them', async () => {
  const { connection, control } = fakeMesh();
  const seen: EdgeCommand[] = [];
  const senders = new Set<string | undefined>();
  const queue = control.commands('e1', (each, { user }) => {
    seen.push(each);
    senders.add(user);
  });
  await queue.start();
  expect(queue.name).toMatch(/^control\.e1\./);
  expect([...(connection.only?.bindings ?? [])]).toEqual(['edge.e1', 'all']);
  connection.deliver({
    ...onControl,
    key: 'all',
    body: body([{ command: 'cordon' }, { command: 'uncordon' }]),
    properties: { headers: {}, userId: 'balancer' },
  });
  expect(seen).toEqual([{ command: 'cordon' }, { command: 'uncordon' }]);
  expect([...senders]).toEqual(['balancer']);
  await queue.stop();
});

it('says of a command whether its sender may have given it up: what lay in a process that stood still expired nowhere', async () => {
  const { connection, control } = fakeMesh();
  // Not started: as if nothing had been read since.
  const arrivals = new Arrivals();
  const late: boolean[] = [];
  const queue = control.commands('e1', (_command, _sender, isLate) => late.push(isLate), { arrivals });
  await queue.start();
  for (const expiration of [undefined, '60000', '0'])
    connection.deliver({
      ...onControl,
      key: 'edge.e1',
      body: body({ command: 'cordon' }),
      properties: { headers: {}, ...(expiration === undefined ? {} : { expiration }) },
    });
  expect(late).toEqual([false, false, true]);
  await queue.stop();
});
