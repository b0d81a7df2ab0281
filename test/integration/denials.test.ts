import { freePort, Member, type Role } from '@evenkeel/local';
import { exchanges, manageKey, manageKind, queues } from '@evenkeel/protocol';
import { RawClient, TcpProxy } from '@evenkeel/testkit';
import { createOperator, type Operator } from 'evenkeel';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';
import { secret } from '../support/edge-session.js';
import { MeshListener } from '../support/mesh-listener.js';

let mesh: EdgeMesh;
let edge: EdgeUnderTest;
let operator: Operator;
let balancers: Member[] = [];
let gateway: { member: Member; url: string };

async function start(role: Role, name: string, env: Record<string, string>): Promise<Member> {
  const member = new Member({
    role,
    name,
    opsPort: await freePort(),
    env: { EVENKEEL_AMQP_URL: mesh.urlFor(role), EVENKEEL_HOST: '127.0.0.1', ...env },
    onLine: () => undefined,
    onUnexpectedEnd: () => undefined,
  });
  await member.start();
  mesh.defer(() => member.kill());
  return member;
}

const startBalancer = (id: string) => start('balancer', id, { EVENKEEL_ID: id });

async function startGateway(): Promise<typeof gateway> {
  const port = await freePort();
  const env = { EVENKEEL_SECRET: secret, EVENKEEL_AUTH: 'dev', EVENKEEL_PORT: String(port) };
  return { member: await start('gateway', 'gateway', env), url: `http://127.0.0.1:${port}` };
}

/** The status, and the code of an error. */
async function place(query: string): Promise<{ status: number; code: string | undefined }> {
  const response = await fetch(`${gateway.url}/gateway?${query}`);
  const { error } = (await response.json()) as { error?: { code: string } };
  return { status: response.status, code: error?.code };
}

const placed = (query: string) => expect.poll(() => place(query), { timeout: 15_000 });
const isDenied = { status: 403, code: 'denied' };

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [balancers, gateway, edge] = await Promise.all([
    Promise.all([startBalancer('b1'), startBalancer('b2')]),
    startGateway(),
    mesh.edge('deny-a'),
  ]);
  operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
  mesh.defer(() => operator.close());
}, 60_000);
afterAll(() => mesh.close(), 30_000);

describe('a user who is denied', () => {
  it('loses every socket within 2 s, those without a hello too, and gets in with no ticket and by no gateway', async () => {
    const session = new SessionUnderTest('mallory');
    const attached = await session.attach(edge);
    const silent = await new SessionUnderTest('mallory').open(edge);
    const other = await new SessionUnderTest('alice').attach(edge);
    const kept = new SessionUnderTest('mallory').ticket(edge);
    await placed('user=mallory').toMatchObject({ status: 200 });
    const fromMs = performance.now();
    await operator.deny({ user: 'mallory', reason: 'spam' });
    const closes = await Promise.all([attached.closed, silent.closed]);
    expect(closes.map(({ code, reason }) => [code, reason])).toEqual([
      [4503, 'denied'],
      [4503, 'denied'],
    ]);
    expect(performance.now() - fromMs).toBeLessThan(2_000);
    const late = await RawClient.open(edge.url, kept);
    expect(await late.closed).toMatchObject({ code: 4503 });
    await placed('user=mallory').toEqual(isDenied);
    expect((await place('user=alice')).status).toBe(200);
    expect(other.isOpen).toBe(true);
    await expect.poll(() => mesh.counts(session), { timeout: 10_000 }).toBeUndefined();
  });

  it('stays out with every balancer killed and each gateway and edge started anew', async () => {
    const session = new SessionUnderTest('trudy');
    await operator.deny({ session: session.sid });
    await operator.deny({ user: 'eve' });
    for (const balancer of balancers) await balancer.kill();
    await gateway.member.kill();
    gateway = await startGateway();
    const fresh = await mesh.edge('deny-b');
    await placed('user=eve').toEqual(isDenied);
    expect(await place(`user=trudy&session=${session.sid}`)).toEqual(isDenied);
    for (const each of [session, new SessionUnderTest('eve')]) {
      expect(await (await each.open(fresh)).closed).toMatchObject({ code: 4503 });
    }
    // Another session of the same user is not meant.
    await new SessionUnderTest('trudy').attach(fresh);
    balancers = [await startBalancer('b3')];
    await expect.poll(() => operator.denials().then((all) => all.total), { timeout: 15_000 }).toBe(3);
    expect((await operator.allow({ user: 'eve' })).wasDenied).toBe(true);
    await placed('user=eve').toMatchObject({ status: 200 });
    // Each reads the stream by itself.
    const attach = async () => (await new SessionUnderTest('eve').attach(fresh)).close();
    await vi.waitFor(attach, { timeout: 15_000, interval: 200 });
  });
});

describe('an edge', () => {
  it('keeps out whom it knows without a broker, and hears of the others when it is back', async () => {
    const proxy = await TcpProxy.toUrl(mesh.amqpUrl);
    onTestFinished(() => proxy.close());
    const cut = await mesh.edge('deny-cut', { AMQP_URL: proxy.urlFor(mesh.urlFor('edge')) });
    await operator.deny({ user: 'known' });
    expect(await (await new SessionUnderTest('known').open(cut)).closed).toMatchObject({ code: 4503 });
    const bystander = await new SessionUnderTest('bystander').open(cut);
    const live = await new SessionUnderTest('unknown').open(cut);
    proxy.refuse();
    proxy.cut();
    await operator.deny({ user: 'unknown' });
    await operator.deny({ user: 'bystander' });
    await operator.allow({ user: 'bystander' });
    expect(await (await new SessionUnderTest('known').open(cut)).closed).toMatchObject({ code: 4503 });
    proxy.allow();
    expect(await live.closed).toMatchObject({ code: 4503 });
    // What was taken back before it counted closes nobody.
    expect(bystander.isOpen).toBe(true);
  });

  it('goes on denying when the stream is deleted, and the balancer writes it again for those that start later', async () => {
    await operator.deny({ user: 'lost and found' });
    const known = await new SessionUnderTest('lost and found').open(edge);
    expect(await known.closed).toMatchObject({ code: 4503 });
    const rewritten: string[] = [];
    await mesh.topology.deleteQueue(queues.denials);
    const reader = mesh.broker.stream(queues.denials, {
      onStart: () => undefined,
      onRecord: ({ body }) => rewritten.push(body.toString()),
      onCaughtUp: () => undefined,
      onLost: () => undefined,
    });
    reader.start();
    onTestFinished(() => reader.stop());
    expect(await (await new SessionUnderTest('lost and found').open(edge)).closed).toMatchObject({
      code: 4503,
    });
    const uid = new SessionUnderTest('lost and found').uid;
    await expect.poll(() => rewritten.some((each) => each.includes(uid)), { timeout: 20_000 }).toBe(true);
    const late = await mesh.edge('deny-late');
    expect(await (await new SessionUnderTest('lost and found').open(late)).closed).toMatchObject({
      code: 4503,
    });
    await operator.deny({ user: 'after' });
    expect(await (await new SessionUnderTest('after').open(edge)).closed).toMatchObject({ code: 4503 });
  });
});

describe('disconnect', () => {
  it('closes sockets that have not said hello, and where lists them', async () => {
    const silent = await new SessionUnderTest('silent').open(edge);
    const { sessions } = await operator.where('silent');
    expect(sessions).toMatchObject([{ node: edge.node, unacked: 0 }]);
    expect((await operator.disconnect('silent')).sessions).toHaveLength(1);
    expect(await silent.closed).toMatchObject({ code: 4502 });
  });
});

describe('forget', () => {
  it("ends the user's sessions and denials, and says what is left", async () => {
    const session = new SessionUnderTest('gone');
    const live = await session.attach(edge);
    const away = new SessionUnderTest('gone');
    (await away.attach(edge)).terminate();
    await operator.deny({ session: `gone.${'s'.repeat(22)}` });
    await expect
      .poll(async () => (await operator.denials()).denials.some((d) => d.session?.startsWith('gone.')))
      .toBe(true);
    const answer = await operator.forget('gone');
    expect(answer).toMatchObject({ denials: 1, left: expect.arrayContaining([expect.any(String)]) });
    // That one was cut off a moment ago, and may have sessions.
    expect(answer.missing?.filter((node) => node !== 'deny-cut')).toEqual([]);
    expect(await live.closed).toMatchObject({ code: 4502 });
    for (const each of [session, away])
      await expect.poll(() => mesh.counts(each), { timeout: 10_000 }).toBeUndefined();
    await expect
      .poll(async () => (await operator.denials()).denials.some((d) => d.session?.startsWith('gone.')))
      .toBe(false);
  });
});

describe('the audit', () => {
  it('says who has kept whom out; a viewer may look and keep out nobody', async () => {
    const audit = await MeshListener.open(mesh.amqpUrl, exchanges.audit);
    onTestFinished(() => audit.close());
    await operator.deny({ user: 'Oskar Ümlaut' });
    const entries = () =>
      audit.deliveries.map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>);
    await expect.poll(entries, { timeout: 10_000 }).toContainEqual(
      expect.objectContaining({
        command: { command: 'deny', user: 'Oskar Ümlaut' },
        user: 'operator',
        outcome: 'ok',
      }),
    );
    expect(manageKey(manageKind('deny'), 'deny')).toBe('operate.deny');
    const viewer = await createOperator({ amqpUrl: mesh.urlFor('viewer') });
    onTestFinished(() => viewer.close());
    await expect
      .poll(async () => (await viewer.denials()).denials)
      .toContainEqual(expect.objectContaining({ user: 'Oskar Ümlaut' }));
    await expect(viewer.deny({ user: 'alice' })).rejects.toMatchObject({ code: 'forbidden' });
  });
});
