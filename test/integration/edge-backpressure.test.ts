import { performance } from 'node:perf_hooks';
import type { RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

/** So long that a client which reads is not taken for a frozen one where the machine is busy. */
const slowConsumerMs = 8_000;
const big = 'x'.repeat(60_000);

let mesh: EdgeMesh;
let edge: EdgeUnderTest;
let patient: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [edge, patient] = await Promise.all([
    mesh.edge('e1', { SLOW_CONSUMER_MS: String(slowConsumerMs), WINDOW: '512' }),
    mesh.edge('e2', { WINDOW: '512' }),
  ]);
});
afterAll(() => mesh.close());

/** Publishes numbered events of 60 kB. */
async function bigEvents(session: SessionUnderTest, from: number, to: number): Promise<void> {
  for (const n of range(from, to)) await mesh.event(session, { n, big });
}

const numbersOf = (client: RawClient): number[] => client.data.map((d) => (d as { n: number }).n);

/** Somebody else on the same edge gets events meanwhile, one after another. */
async function serves(client: RawClient, session: SessionUnderTest, times: number): Promise<void> {
  const before = client.events.length;
  for (const n of range(before + 1, before + times)) {
    await mesh.event(session, { n });
    await client.eventCount(n);
  }
}

describe('a frozen client', () => {
  it('is written to no further than the high watermark, the rest waits; nothing is lost when it reads again', async () => {
    const [frozen, neighbour] = [new SessionUnderTest('frozen'), new SessionUnderTest('neighbour')];
    const [client, other] = await Promise.all([frozen.attach(patient), neighbour.attach(patient)]);
    client.freeze();
    const before = (await patient.stats()).rssBytes;
    // 18 MB: more than the kernel's buffers on both sides take.
    await bigEvents(frozen, 1, 300);
    await patient.unacked(300);
    await serves(other, neighbour, 20);
    expect(client.isOpen).toBe(true);
    // What is kept back is kept as it came from the broker, once.
    expect((await patient.stats()).rssBytes - before).toBeLessThan(80_000_000);
    client.thaw();
    await client.eventCount(300);
    expect(numbersOf(client)).toEqual(range(1, 300));
    expect(client.kinds).not.toContain('gap');
    expect(client.events.some((e) => e.redelivered)).toBe(false);
    await Promise.all([client.close(), other.close()]);
  });

  it('loses its socket after slowConsumerMs; a new one gets all from the first unacknowledged on', async () => {
    const [frozen, neighbour] = [new SessionUnderTest('frozen-long'), new SessionUnderTest('neighbour')];
    const [client, other] = await Promise.all([frozen.attach(edge), neighbour.attach(edge)]);
    await bigEvents(frozen, 1, 5);
    await client.eventCount(5);
    await client.pinged();
    client.freeze();
    await bigEvents(frozen, 6, 300);
    // Those, and the seal.
    await mesh.settled(frozen, { consumers: 0, messages: 296 }, 40_000);
    await serves(other, neighbour, 1);
    const next = await frozen.attach(edge, { resume: true }, { from: 'e1' });
    await next.eventCount(295);
    expect(numbersOf(next)).toEqual(range(6, 300));
    expect(next.kinds).not.toContain('gap');
    client.terminate();
    await Promise.all([next.close(), other.close()]);
  });

  it('is told what it has missed ahead of what follows, also where messages go on meanwhile', async () => {
    const sessions = [new SessionUnderTest('frozen-busy'), new SessionUnderTest('reader-busy')] as const;
    const clients = await Promise.all(sessions.map((s) => s.attach(patient, { topics: ['stream'] })));
    const [client, reader] = clients as [RawClient, RawClient];
    client.freeze();
    for (const n of range(1, 300)) await mesh.message('stream', { n, big });
    await reader.until('all', () => reader.of('message').length === 300);
    client.thaw();
    for (const n of range(301, 400)) await mesh.message('stream', { n });
    await client.until('the last', () => client.of('message').some((m) => numberOf(m) === 400));
    let [last, isTold, holes] = [0, false, 0];
    for (const frame of client.frames) {
      if (frame.t === 'gap') isTold = true;
      if (frame.t !== 'message') continue;
      const n = numberOf(frame);
      if (n !== last + 1) {
        holes += 1;
        expect(isTold, `between ${last} and ${n}`).toBe(true);
      }
      [last, isTold] = [n, false];
    }
    expect(holes).toBeGreaterThan(0);
    await Promise.all([client.close(), reader.close()]);
  });

  it('misses messages of a topic beyond the buffer and is told so; others get them all', async () => {
    const sessions = [new SessionUnderTest('frozen-topic'), new SessionUnderTest('reader')] as const;
    const clients = await Promise.all(sessions.map((s) => s.attach(patient, { topics: ['busy', 'quiet'] })));
    const [client, reader] = clients as [RawClient, RawClient];
    client.freeze();
    for (const n of range(1, 300)) await mesh.message('busy', { n, big });
    await reader.until('all', () => reader.of('message').length === 300);
    expect(reader.kinds).not.toContain('gap');
    client.thaw();
    const gap = await client.frame('gap', (f) => f.topic === 'busy');
    expect(gap).toEqual({ t: 'gap', topic: 'busy', reason: 'slow-consumer' });
    const atGap = client.frames.indexOf(gap);
    await mesh.message('busy', { n: 301 });
    await client.until('the one after', () => client.of('message').some((m) => numberOf(m) === 301));
    const got = client.of('message').map(numberOf);
    expect(got).toEqual(range(1, 301).filter((n) => got.includes(n)));
    // Whatever is missing is missing before the gap was told, not after.
    const after = client.frames
      .slice(atGap)
      .filter((f) => f.t === 'message')
      .map(numberOf);
    expect(after).toEqual(range(after[0] ?? 0, 301));
    await Promise.all(clients.map((c) => c.close()));
  });
});

describe('a slow client', () => {
  it('that reads a little at a time keeps its socket past slowConsumerMs and gets everything, in order', async () => {
    const [slow, neighbour] = [new SessionUnderTest('slow'), new SessionUnderTest('neighbour')];
    const [client, other] = await Promise.all([slow.attach(edge), neighbour.attach(edge)]);
    const beganAt = performance.now();
    client.trickle(22);
    await bigEvents(slow, 1, 400);
    await serves(other, neighbour, 10);
    await client.eventCount(400, 40_000);
    expect(performance.now() - beganAt).toBeGreaterThan(slowConsumerMs);
    expect(numbersOf(client)).toEqual(range(1, 400));
    expect(client.events.some((e) => e.redelivered)).toBe(false);
    expect(client.ended).toBeUndefined();
    await Promise.all([client.close(), other.close()]);
  });

  it('that acknowledges late holds up nobody else and gets no more than its window ahead', async () => {
    const [late, neighbour] = [new SessionUnderTest('late'), new SessionUnderTest('neighbour')];
    const client = await late.attach(edge, {}, {}, { acks: false });
    const other = await neighbour.attach(edge);
    await mesh.numbers(late, 1, 600);
    await client.eventCount(512);
    await serves(other, neighbour, 10);
    await client.pinged();
    expect(client.events).toHaveLength(512);
    client.acks = true;
    client.ack(512);
    await client.eventCount(600);
    expect(client.data).toEqual(range(1, 600));
    await Promise.all([client.close(), other.close()]);
  });
});

const numberOf = (frame: { data?: unknown }): number => (frame.data as { n: number }).n;
