import type { RawClient, RawFrame } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';
import { PlainService } from '../support/plain-service.js';

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;
let service: PlainService;
const timeoutMs = 1_500;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  const env = { REQUEST_TIMEOUT_MS: String(timeoutMs), MAX_STREAMS: '2', MAX_EVENT_BYTES: '10000' };
  [a, b] = await Promise.all([mesh.edge('a', env), mesh.edge('b', env)]);
  service = await PlainService.open(mesh);
});
afterAll(() => mesh.close());

const parts = (client: RawClient, re: string): RawFrame[] => client.of('part').filter((f) => f.re === re);
const numbers = (client: RawClient, re: string): unknown[] => parts(client, re).map(({ data }) => data);
const end = (client: RawClient, re: string): RawFrame | undefined =>
  client.frames.find((frame) => (frame.t === 'ok' || frame.t === 'error') && frame.re === re);

/** Asks by `client`, and resolves with what the service has got. */
async function ask(client: RawClient, id: string) {
  client.send({ t: 'request', id, method: 'shop.tell', data: id });
  return await service.request(id);
}

describe('an answer in parts', () => {
  it('comes with the events, counted as they are, and ends with what is counted too', async () => {
    const session = new SessionUnderTest('reader');
    const client = await session.attach(a);
    const asked = await ask(client, 'plain');
    await service.parts(asked, 0, 1);
    await mesh.event(session, 'between');
    await client.eventCount(1);
    await service.parts(asked, 2, 2);
    await service.say(asked, 'end');
    const ok = await client.frame('ok');
    expect(numbers(client, 'plain')).toEqual([0, 1, 2]);
    expect(parts(client, 'plain').map(({ seq, n }) => [seq, n])).toEqual([
      [1, 0],
      [2, 1],
      [4, 2],
    ]);
    expect(ok).toMatchObject({ re: 'plain', seq: 5, data: 'end' });
    await a.unacked(0);
    await client.close();
  });

  it('goes on over moves on an edge that has never seen it, each part once and in order', async () => {
    const session = new SessionUnderTest('mover');
    let client = await session.attach(a);
    const all: RawClient[] = [client];
    const asked = await ask(client, 'moving');
    let from = 0;
    for (const [at, to] of [
      [a, b],
      [b, a],
      [a, b],
    ] as const) {
      const flowing = service.parts(asked, from, from + 199);
      from += 200;
      const next = await mesh.follow(session, client, at, to);
      await next.frame('welcome');
      await client.frame('moved');
      await flowing;
      client = next;
      all.push(client);
    }
    await client.until('the last part', () => parts(client, 'moving').at(-1)?.n === from - 1);
    await service.say(asked, 'end');
    expect(await client.frame('ok')).toMatchObject({ re: 'moving', data: 'end', seq: expect.any(Number) });
    const got = all.flatMap((each) => parts(each, 'moving').map(({ n }) => n));
    expect(got).toEqual(range(0, from - 1));
    await Promise.all(all.map((each) => each.close()));
  });

  it('is complete on another edge after its own was killed; what comes again has its number', async () => {
    const dying = await mesh.edge('dying', {});
    const session = new SessionUnderTest('survivor');
    const first = await session.attach(dying, {}, {}, { acks: false });
    const asked = await ask(first, 'killed');
    await service.parts(asked, 0, 4);
    await first.until('five parts', () => parts(first, 'killed').length === 5);
    first.ack(2);
    await first.pinged();
    await dying.member.stop('SIGKILL', 3_000);
    await service.parts(asked, 5, 9);
    await service.say(asked, 'end', { 'evenkeel-parts': 10 });
    const second = await session.attach(b, { resume: true }, { from: 'dying' });
    expect(await second.frame('ok')).toMatchObject({ seq: expect.any(Number), parts: 10, data: 'end' });
    const got = [...parts(first, 'killed'), ...parts(second, 'killed')].map(({ n }) => n);
    expect([...new Set(got)]).toEqual(range(0, 9));
    expect(second.of('gap')).toEqual([]);
    await second.close();
  });

  it('waits for a page that comes back to its session', async () => {
    const session = new SessionUnderTest('reloader');
    const first = await session.attach(a);
    const asked = await ask(first, 'reload');
    await service.parts(asked, 0, 2);
    await first.until('three parts', () => parts(first, 'reload').length === 3);
    await first.pinged();
    await first.close(1001);
    await service.parts(asked, 3, 5);
    const second = await session.attach(a, {}, { from: 'a' });
    await service.say(asked, 'end');
    await second.frame('ok');
    expect(numbers(second, 'reload')).toEqual([3, 4, 5]);
    await second.close();
  });

  it('ends with an error where a part is too long, and its service is told to stop', async () => {
    const session = new SessionUnderTest('long');
    const client = await session.attach(a);
    const asked = await ask(client, 'too long');
    await service.parts(asked, 0, 0);
    await service.say(asked, 'x'.repeat(20_000), { 'evenkeel-part': 1 });
    await service.parts(asked, 2, 3);
    await service.say(asked, 'end');
    await client.until('an end', () => end(client, 'too long') !== undefined);
    await mesh.event(session, 'after');
    await client.eventCount(1);
    expect(client.kinds.slice(1)).toEqual(['part', 'error', 'event']);
    expect(end(client, 'too long')).toMatchObject({ code: 'too-large', seq: 2 });
    await client.until('word', () => service.cancelled.some(({ key }) => key === asked.id));
    await client.close();
  });

  it('is refused where the session has as many open as it may have', async () => {
    const client = await new SessionUnderTest('greedy').attach(a);
    const asked = await Promise.all(['g1', 'g2', 'g3'].map((id) => ask(client, id)));
    for (const each of asked) await service.parts(each, 0, 1);
    await client.until('a refusal', () => end(client, 'g3') !== undefined);
    expect(end(client, 'g3')).toMatchObject({ code: 'stream-limit' });
    expect(numbers(client, 'g3')).toEqual([]);
    await client.until('both', () => numbers(client, 'g1').length + numbers(client, 'g2').length === 4);
    await client.close();
  });

  it('ends when its service says nothing more in time, and may take as long for each part', async () => {
    const client = await new SessionUnderTest('patient').attach(a);
    const asked = await ask(client, 'slow');
    const beganAtMs = performance.now();
    let n = 0;
    while (performance.now() - beganAtMs < timeoutMs * 2) {
      await service.parts(asked, n, n);
      await client.until('the part', () => numbers(client, 'slow').length === n + 1);
      n += 1;
    }
    expect(end(client, 'slow')).toBeUndefined();
    await client.until('an end', () => end(client, 'slow') !== undefined);
    expect(end(client, 'slow')).toMatchObject({ code: 'request-timeout' });
    await client.until('word', () => service.cancelled.some(({ key }) => key === asked.id));
    await client.close();
  });

  it('is cancelled by its client, which its service is told by the id of the request', async () => {
    const client = await new SessionUnderTest('leaver').attach(a);
    const asked = await ask(client, 'enough');
    await service.parts(asked, 0, 0);
    client.send({ t: 'cancel', re: 'enough' });
    await client.until('word', () => service.cancelled.some(({ key }) => key === asked.id));
    const [told] = service.cancelled.filter(({ key }) => key === asked.id);
    expect(told).toEqual({ key: asked.id, type: 'cancel', body: { id: asked.id } });
    await client.close();
  });

  it('has its service told how far the client has got, where it asks', async () => {
    const client = await new SessionUnderTest('taker').attach(a, {}, {}, { acks: false });
    const asked = await ask(client, 'paced');
    await service.parts(asked, 0, 3, { 'evenkeel-part-ack': 'shop-1' });
    await client.until('four parts', () => parts(client, 'paced').length === 4);
    client.ack(3);
    const taken = () => service.cancelled.filter(({ key }) => key === '$taken.shop-1');
    await client.until('word', () => taken().length === 3);
    expect(taken().map(({ type, body }) => [type, body.id, body.n])).toEqual(
      [0, 1, 2].map((n) => ['taken', asked.id, n]),
    );
    await client.close();
  });
});
