import { randomUUID } from 'node:crypto';
import { userOf } from '@evenkeel/broker';
import { allEdgesKey, type EdgeCommand, edgeKey, exchanges, userKey } from '@evenkeel/protocol';
import { RawClient, refusal } from '@evenkeel/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;
let edge: EdgeUnderTest;
/** Somebody on the same edge, to whom nothing may happen. */
let bystander: { session: SessionUnderTest; client: RawClient; sent: number };

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  edge = await mesh.edge('e1');
  const session = new SessionUnderTest('bystander');
  bystander = { session, client: await session.attach(edge, { topics: ['all'] }), sent: 0 };
});
afterAll(() => mesh.close());

const send = async (count: number): Promise<void> => {
  await mesh.numbers(bystander.session, bystander.sent + 1, bystander.sent + count);
  bystander.sent += count;
};
// Some before, some after each attack; in `afterEach` nothing of it is missing and the socket is the old one.
beforeEach(() => send(5));
afterEach(async () => {
  await send(5);
  await bystander.client.eventCount(bystander.sent);
  expect(bystander.client.data).toEqual(range(1, bystander.sent));
  expect(bystander.client.isOpen).toBe(true);
  expect(bystander.client.kinds.filter((t) => t !== 'event' && t !== 'message')).toEqual(['welcome']);
});

const attacker = new SessionUnderTest('attacker');
const patience = { timeout: 10_000, interval: 20 };

describe('a frame that breaks the protocol closes its own socket with 4500', () => {
  it.each([
    ['not JSON', '{"t":"ack"'],
    ['no object', '"ack"'],
    ['null', 'null'],
    ['an array', '[{"t":"ack","seq":0}]'],
    ['no t', '{"seq":1}'],
    ['t no string', '{"t":7}'],
    ['a field missing', '{"t":"ack"}'],
    ['a field of the wrong type', '{"t":"ack","seq":"1"}'],
    ['a negative seq', '{"t":"ack","seq":-1}'],
    ['a fractional seq', '{"t":"ack","seq":0.5}'],
    ['an ack of what was never sent', '{"t":"ack","seq":1}'],
    ['a second hello', '{"t":"hello"}'],
    ['an empty id', '{"t":"subscribe","id":"","topic":"a"}'],
    ['a long id', `{"t":"subscribe","id":"${'x'.repeat(129)}","topic":"a"}`],
    ['empty text', ''],
    ['binary', Buffer.from('{"t":"ping"}')],
  ])('%s', async (_what, frame) => {
    const client = await attacker.attach(edge);
    client.send(frame);
    expect(await client.closed).toEqual({ code: 4500, reason: 'bad-frame' });
  });

  it.each([
    ['another frame before hello', '{"t":"ping"}'],
    ['an unknown kind before hello', '{"t":"hi"}'],
    ['a hello with a wrong field', '{"t":"hello","topics":"all"}'],
    [
      'a hello whose info is nested without end',
      `{"t":"hello","info":${'['.repeat(9_000)}${']'.repeat(9_000)}}`,
    ],
    ['a hello with too many topics', JSON.stringify({ t: 'hello', topics: range(1, 1025).map(String) })],
  ])('%s', async (_what, frame) => {
    const client = await new SessionUnderTest('attacker').open(edge);
    client.send(frame);
    expect(await client.closed).toEqual({ code: 4500, reason: 'bad-frame' });
  });
});

describe('limits and unknown kinds', () => {
  it('answers an unknown kind with unknown-type and goes on', async () => {
    const client = await attacker.attach(edge);
    client.send({ t: 'sing', id: 'a' });
    client.send({ t: 'x'.repeat(10_000), id: 5 });
    expect(await client.frame('error')).toMatchObject({ re: 'a', code: 'unknown-type' });
    await client.pinged();
    expect(client.of('error')).toHaveLength(2);
    expect(JSON.stringify(client.of('error')[1]).length).toBeLessThan(500);
    await client.close();
  });

  it('ignores fields it does not know', async () => {
    const client = await attacker.attach(edge, { colour: 'red' });
    client.send({ t: 'ping', __proto__: { a: 1 }, constructor: 1, more: [1] });
    await client.frame('pong');
    await client.close();
  });

  it('takes 64 KiB to the byte and closes with 1009 beyond', async () => {
    const client = await attacker.attach(edge);
    const shell = '{"t":"ping","pad":""}'.length;
    client.send({ t: 'ping', pad: 'x'.repeat(65_536 - shell) });
    await client.frame('pong');
    client.send({ t: 'ping', pad: 'x'.repeat(65_537 - shell) });
    expect(await client.closed).toEqual({ code: 1009, reason: 'too-large' });
  });

  it('takes a hello of up to twice that, with all the topics that a connection may have', async () => {
    const topics = range(1, 512).map((n) => ({
      topic: `${'x'.repeat(120)}.${1_000 + n}`,
      since: '123456789012-abcdefghij',
    }));
    expect(JSON.stringify(topics).length).toBeGreaterThan(65_536);
    const client = await attacker.attach(edge, { topics });
    client.send({ t: 'subscribe', id: 'more', topic: 'more' });
    expect(await client.frame('error')).toMatchObject({ re: 'more', code: 'topic-limit' });
    const last = topics.at(-1)?.topic ?? '';
    await mesh.message(last, 1);
    expect(await client.frame('message')).toMatchObject({ topic: last, data: 1 });
    await client.close();
  });

  it('cuts off a frame over twice that', async () => {
    const client = await attacker.attach(edge);
    client.send('x'.repeat(131_073));
    expect((await client.closed).code).toBe(1006);
  });

  it.each([
    ['pings', { t: 'ping' }],
    ['frames of no kind', { t: 'sing' }],
    ['acknowledgements of nothing new', { t: 'ack', seq: 0 }],
    ['long frames', { t: 'publish', id: 'a', topic: 'nobody.here', data: 'x'.repeat(20_000) }],
  ])('closes with 4008 on a flood of %s that goes on although it is refused', async (_what, frame) => {
    const client = await attacker.attach(edge);
    for (let n = 0; n < 1_700; n++) client.send(frame);
    expect(await client.closed).toEqual({ code: 4008, reason: 'rate-limited' });
  });

  it('answers rate-limited to a flood, and the socket lives on', async () => {
    const client = await attacker.attach(edge);
    for (let n = 0; n < 600; n++) client.send({ t: 'unsubscribe', id: n, topic: 'x' });
    await client.until('600 answers', () => client.of('ok').length + client.of('error').length === 600);
    expect(client.of('error').length).toBeGreaterThan(100);
    expect(new Set(client.of('error').map((e) => e.code))).toEqual(new Set(['rate-limited']));
    await client.close();
  });
});

describe('a ticket that does not hold is answered with 401 and JSON before any socket opens', () => {
  const cases: [string, string, () => string][] = [
    ['none', 'ticket-malformed', () => ''],
    ['noise', 'ticket-malformed', () => 'noise'],
    ['10 KB', 'ticket-malformed', () => `${'x'.repeat(5_000)}.${'y'.repeat(5_000)}`],
    ['forged', 'ticket-forged', () => forge((claims) => ({ ...claims, uid: 'bystander' }))],
    ['its signature cut short', 'ticket-forged', () => attacker.ticket(edge).slice(0, -4)],
    ['expired', 'ticket-expired', () => attacker.ticket(edge, { expiresAt: Date.now() - 1 })],
    ['for an earlier process', 'ticket-stale', () => attacker.ticket(edge, { boot: 'before' })],
    ['forged for another edge', 'ticket-forged', () => `e2.${attacker.ticket(edge)}`],
    ['a user id with a wildcard', 'ticket-malformed', () => attacker.ticket(edge, { uid: '#' })],
    ['a user id of two words', 'ticket-malformed', () => attacker.ticket(edge, { uid: 'a.b' })],
    ['a session id with a wildcard', 'ticket-malformed', () => attacker.ticket(edge, { sid: '*' })],
  ];
  it.each(cases)('%s', async (_what, code, make) => {
    const { status, body } = await refusal(edge.url, `?ticket=${encodeURIComponent(make())}`);
    expect({ status, code: body.error.code }).toEqual({ status: 401, code });
    expect(body.error.message).not.toBe('');
  });

  it('used before', async () => {
    const session = new SessionUnderTest('twice');
    const ticket = session.ticket(edge);
    const client = await RawClient.open(edge.url, ticket);
    const { status, body } = await refusal(edge.url, `?ticket=${ticket}`);
    expect({ status, code: body.error.code }).toEqual({ status: 401, code: 'ticket-used' });
    expect(client.isOpen).toBe(true);
    await client.close();
  });

  it('used before its edge was killed and started again', async () => {
    const first = await mesh.edge('restarts');
    const { boot } = await first.stats();
    const ticket = new SessionUnderTest('thrice').ticket(first, { boot });
    await RawClient.open(first.url, ticket);
    await first.member.stop('SIGKILL', 3_000);
    const second = await mesh.edge('restarts');
    const { status, body } = await refusal(second.url, `?ticket=${ticket}`);
    expect({ status, code: body.error.code }).toEqual({ status: 401, code: 'ticket-stale' });
  });

  const forge = (change: (claims: object) => object): string => {
    const [body = '', signature = ''] = attacker.ticket(edge).split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    return `${Buffer.from(JSON.stringify(change(claims))).toString('base64url')}.${signature}`;
  };
});

describe('what arrives over AMQP', () => {
  const publish = (user: string, body: Buffer | string, contentType?: string) =>
    mesh.publisher.publish(exchanges.events, userKey(user, 'x'), body, { contentType, messageId: 'm' });

  /** The edge answers a takeover, sent behind `others` in one message: it has got through all commands before it. */
  const expectAnswer = async (...others: object[]) => {
    const puppet = await mesh.puppet(`asks-${randomUUID().slice(0, 8)}`);
    const { uid } = bystander.session;
    const takeover = { takeover: 't', uid, sid: 'none', from: puppet.node, boot: 'b', epoch: 1 };
    const batch = [...others, { command: 'takeover', ...takeover, mode: 'resume' }];
    await mesh.publisher.publish(exchanges.control, edgeKey('e1'), JSON.stringify(batch));
    expect(await puppet.command('released')).toMatchObject({ outcome: 'unknown' });
  };

  it.each([
    ['text that is no JSON', '{"half', 'application/json', { data: '{"half' }],
    ['no body', '', 'application/json', { data: '' }],
    ['text', '{"a":1}', 'text/plain', { data: '{"a":1}' }],
    ['JSON without a type', '{"a":1}', undefined, { data: { a: 1 } }],
    ['bytes', Buffer.from([255, 0]), undefined, { data: '/wA=', encoding: 'base64' }],
    [
      'bytes that claim to be JSON',
      Buffer.from([255, 0]),
      'application/json',
      { data: '/wA=', encoding: 'base64' },
    ],
    ['an image', 'x', 'image/png', { data: 'eA==', encoding: 'base64', contentType: 'image/png' }],
  ])('carries an event with %s as documented', async (_what, body, contentType, expected) => {
    const client = await attacker.attach(edge);
    await publish('attacker', body, contentType);
    expect(await client.frame('event')).toMatchObject(expected);
    await client.close();
  });

  it('outlives commands that are not JSON, of no known kind, or with wrong fields, and says so', async () => {
    const bad = ['', 'not json', 'null', '[7]', '{"command":"explode"}', '{"command":"reconnect","move":7}'];
    bad.push(JSON.stringify({ command: 'where', uid: '#', reply: 'x', ask: 'y' }));
    bad.push(JSON.stringify({ command: 'takeover', uid: '*', sid: '*' }));
    for (const body of bad) {
      for (const key of [edgeKey('e1'), allEdgesKey])
        await mesh.publisher.publish(exchanges.control, key, body);
    }
    // Several in one message: a bad one takes no other with it.
    await expectAnswer({ command: 'explode' });
    await vi.waitFor(() => expect(edge.lines.join('\n')).toContain('command not understood'), patience);
  });

  it('does what the balancer’s user commands, and nothing that anybody else does', async () => {
    const strict = await mesh.edge('strict', { BALANCER_USER: userOf(mesh.amqpUrl) ?? '' });
    const client = await attacker.attach(strict);
    const command = (userId: string | undefined, ...commands: EdgeCommand[]) =>
      mesh.publisher.publish(exchanges.control, edgeKey('strict'), JSON.stringify(commands), { userId });
    const { uid } = attacker;
    const disconnect: EdgeCommand = { command: 'disconnect', uid, reply: 'nobody', ask: 'q' };
    await command(undefined, { command: 'cordon' }, disconnect);
    await vi.waitFor(() => expect(strict.lines.join('\n')).toContain('command refused'), patience);
    expect(client.isOpen).toBe(true);
    await command(userOf(mesh.amqpUrl), disconnect);
    expect(await client.closed).toMatchObject({ code: 4502 });
  });

  it('keeps a session when a released arrives that answers no question', async () => {
    const { uid, sid } = bystander.session;
    await mesh.command('e1', {
      command: 'released',
      takeover: 'never-asked',
      uid,
      sid,
      from: 'e9',
      outcome: 'released',
    });
    await expectAnswer();
    expect(await mesh.counts(bystander.session)).toMatchObject({ consumers: 1 });
  });

  it('carries an event without a name, and of its headers only those documented', async () => {
    const client = await attacker.attach(edge);
    await mesh.publisher.publish(exchanges.events, 'user.attacker', '1', {
      headers: { traceparent: '00-1', cloudEvents_type: 't', nested: { a: 1 }, secret: 's' },
    });
    const event = await client.frame('event');
    expect(event).toMatchObject({ data: 1, headers: { traceparent: '00-1', cloudEvents_type: 't' } });
    expect(event.id).toMatch(/^~/);
    await client.close();
  });
});
