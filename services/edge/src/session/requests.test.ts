import { BrokerError, type PublishOutcome } from '@evenkeel/broker';
import type { RawJson } from '@evenkeel/mesh';
import { maxDataDepth } from '@evenkeel/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openAccess } from '../../testing/access-world.js';
import { answersWorld } from '../../testing/answers.js';
import { FakeConnection } from '../../testing/fake-connection.js';
import { FakeInbound } from '../../testing/fake-inbound.js';
import { FakeTopics, pending, settled } from '../../testing/session-world.js';
import { edgeConfig } from '../config.js';
import { ClientText } from '../frame/client-text.js';
import { inAlarm } from '../limits.js';
import { Users } from '../user/users.js';
import { Load } from './load.js';
import { Quota } from './quota.js';
import { ClientRequests } from './requests.js';
import { Subscriptions } from './subscriptions.js';

/** As it is read from a frame. */
const raw = (value: unknown, depth = 0): RawJson => ({ text: JSON.stringify(value), depth });

function make(outcome: PublishOutcome | Error = 'routed') {
  const sent: Record<string, unknown>[] = [];
  const clock = { nowMs: 1_000 };
  const config = edgeConfig.parse({
    secret: ['request-test-secret-0'],
    maxWaitingBytes: 100,
    maxPayloadBytes: 1,
  });
  const limits = { requestTimeoutMs: config.requestTimeoutMs };
  const now = () => clock.nowMs;
  const load = new Load();
  const topics = new FakeTopics();
  const offences: string[] = [];
  const send = (frame: string) => void sent.push(JSON.parse(frame));
  const inbound = new FakeInbound();
  inbound.outcome = outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  inbound.outcome.catch(() => {});
  const connection = new FakeConnection();
  const replies = { taken: 0, answers: [] as Promise<void>[] };
  const access = openAccess();
  const { answers, told } = answersWorld({ onPart: (re) => requests.progressed(re) });
  const subscriptions = new Subscriptions(connection, topics, {
    presence: { joined() {}, wants() {}, ended() {}, over() {} },
    access,
    // Nothing is ever found of them.
    history: { feed: () => undefined, end() {}, dropped() {}, read: () => true },
    limit: 1_000,
    send,
    gap: () => {},
    onLimit: () => {},
  });
  const requests: ClientRequests = new ClientRequests({
    claims: connection.claims,
    access,
    inbound,
    presence: { kept: () => false, answer: async () => '' },
    subscriptions,
    answers,
    limits,
    quota: new Quota(config, new Users(config, now).enter('alice'), load, now),
    load,
    takeReplies: async () => {
      replies.taken += 1;
      await replies.answers.shift();
    },
    send,
    onOffence: () => void offences.push('closed'),
    now,
  });
  return {
    requests,
    subscriptions,
    answers,
    told,
    inbound,
    sent,
    clock,
    limits,
    replies,
    topics,
    load,
    offences,
  };
}

describe('what a client asks for', () => {
  it('is carried to services, and a publish is answered once the broker has it', async () => {
    const { requests, inbound, sent } = make();
    requests.handle({ t: 'publish', id: 'p', topic: 'a.b', data: raw([1]) });
    requests.handle({ t: 'request', id: 'r', method: 'quote', data: raw(null) });
    expect(sent).toEqual([]);
    await settled();
    expect(inbound.carried).toEqual([
      { kind: 'publish', id: 'p', key: 'a.b', json: '[1]' },
      { kind: 'request', id: 'r', key: 'quote', json: 'null' },
    ]);
    expect(sent).toEqual([{ t: 'ok', re: 'p' }]);
  });

  it('is carried as bytes where its frame says that it is bytes', async () => {
    const { requests, inbound } = make();
    const bytes = { body: Buffer.from([1, 255]), contentType: 'image/png' };
    requests.handle({ t: 'request', id: 'r', method: 'draw', data: raw(null), bytes });
    await settled();
    expect(inbound.carried).toEqual([{ kind: 'request', id: 'r', key: 'draw', json: bytes }]);
  });

  it('lets replies in once, before its first request goes out, and keeps the order of what comes meanwhile', async () => {
    const { requests, inbound, replies, clock } = make();
    const binding = pending<void>();
    replies.answers.push(binding.promise);
    requests.handle({ t: 'publish', id: '1', topic: 'a', data: raw(1) });
    requests.handle({ t: 'request', id: '2', method: 'b', data: raw(2) });
    requests.handle({ t: 'publish', id: '3', topic: 'c', data: raw(3) });
    clock.nowMs += 3_000;
    requests.handle({ t: 'request', id: '4', method: 'd', data: raw(4) });
    await settled();
    expect(inbound.carried.map(({ id }) => id)).toEqual(['1']);
    binding.resolve();
    await settled();
    requests.handle({ t: 'request', id: '5', method: 'e', data: raw(5) });
    expect(inbound.carried.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5']);
    expect(replies.taken).toBe(1);
  });

  it('is told when replies could not come back, and the next request tries again', async () => {
    const { requests, inbound, sent, replies } = make();
    replies.answers.push(Promise.reject(new Error('away')));
    requests.handle({ t: 'request', id: '1', method: 'a', data: raw(1) });
    requests.handle({ t: 'publish', id: '2', topic: 'b', data: raw(2) });
    await settled();
    requests.handle({ t: 'request', id: '3', method: 'c', data: raw(3) });
    await settled();
    expect(sent).toMatchObject([
      { t: 'error', re: '1', code: 'broker-unavailable' },
      { t: 'ok', re: '2' },
    ]);
    expect(inbound.carried.map(({ id }) => id)).toEqual(['2', '3']);
  });

  it('is told when to send again what the broker did not get because of an alarm, and of nothing else', async () => {
    for (const [code, later] of [
      ['publisher-blocked', { retryAfterMs: inAlarm.retryAfterMs }],
      ['publish-timeout', {}],
    ] as const) {
      const { requests, sent } = make(new BrokerError(code, 'away'));
      requests.handle({ t: 'publish', id: 'p', topic: 'a', data: raw(1) });
      requests.handle({ t: 'request', id: 'r', method: 'b', data: raw(2) });
      await settled();
      const told = { t: 'error', code: 'broker-unavailable', message: expect.any(String), ...later };
      expect(sent).toEqual([
        { ...told, re: 'p' },
        { ...told, re: 'r' },
      ]);
      requests.sweep(Number.POSITIVE_INFINITY);
      expect(sent).toHaveLength(2);
    }
  });

  it('is not timed out once its reply has come', async () => {
    const { requests, sent, clock, limits } = make();
    requests.handle({ t: 'request', id: 'answered', method: 'quote', data: raw(1) });
    requests.handle({ t: 'request', id: 'forgotten', method: 'quote', data: raw(2) });
    await settled();
    requests.replied('answered');
    requests.sweep(clock.nowMs + limits.requestTimeoutMs - 1);
    expect(sent).toEqual([]);
    requests.sweep(clock.nowMs + limits.requestTimeoutMs);
    expect(sent).toMatchObject([{ t: 'error', re: 'forgotten', code: 'request-timeout' }]);
  });

  it('that is sent again does not keep a later one from being timed out', () => {
    const { requests, sent, clock, limits } = make();
    requests.handle({ t: 'request', id: 'again', method: 'quote', data: raw(1) });
    requests.handle({ t: 'request', id: 'once', method: 'quote', data: raw(1) });
    clock.nowMs += 1_000;
    requests.handle({ t: 'request', id: 'again', method: 'quote', data: raw(1) });
    requests.sweep(1_000 + limits.requestTimeoutMs);
    expect(sent).toMatchObject([{ re: 'once', code: 'request-timeout' }]);
  });

  it('may take as long as the first for each part of its answer, and no longer, unless its client is behind', () => {
    const { requests, answers, sent, told, clock, limits } = make();
    requests.handle({ t: 'request', id: 'a', method: 'quote', data: raw(1) });
    clock.nowMs += limits.requestTimeoutMs - 1;
    answers.adopt(['a']);
    requests.sweep(clock.nowMs + 1);
    clock.nowMs += limits.requestTimeoutMs;
    requests.sweep(clock.nowMs, true);
    expect([sent, told]).toEqual([[], []]);
    requests.sweep(clock.nowMs + limits.requestTimeoutMs);
    expect(sent).toMatchObject([{ t: 'error', re: 'a', code: 'request-timeout' }]);
    expect(told).toEqual(['cancel alice s a']);
  });

  it('that is cancelled is told to its service', () => {
    const { requests, told, sent } = make();
    requests.handle({ t: 'cancel', re: 'a' });
    expect([told, sent]).toEqual([['cancel alice s a'], []]);
  });

  it('that is a new token is refused beyond 128 at once and 2 a second of its user', async () => {
    const { requests, sent, clock, load } = make();
    const refresh = async (count: number) => {
      for (let n = 0; n < count; n += 1) {
        requests.handle({ t: 'refresh', id: 'r', token: 't' });
        await settled();
      }
      return sent.splice(0).filter(({ code }) => code !== 'broker-unavailable');
    };
    expect(await refresh(128)).toEqual([]);
    expect(await refresh(1)).toMatchObject([{ t: 'error', re: 'r', code: 'rate-limited' }]);
    clock.nowMs += 1_000;
    expect(await refresh(3)).toHaveLength(1);
    expect(load.refused.refreshes).toBe(2);
  });

  it('that is a new token, again and again, ends with the connection of a client that does not heed it', async () => {
    const { requests, offences, load } = make();
    for (let n = 0; n < 1_500; n += 1) requests.handle({ t: 'refresh', id: 'r', token: 't' });
    expect(load.refused.refreshes).toBeGreaterThan(1_300);
    expect(offences.length).toBeGreaterThan(0);
  });

  it('that is a history is refused and counted while 16 are asked for', async () => {
    const { requests, subscriptions, sent, load } = make();
    onTestFinished(() => subscriptions.leaveAll());
    for (let n = 1; n <= 17; n += 1) requests.handle({ t: 'history', id: `${n}`, topic: 'a' });
    await settled();
    expect(sent).toMatchObject([{ t: 'error', re: '17', code: 'rate-limited' }]);
    expect(load.refused.histories).toBe(1);
  });

  it('is refused one by one beyond what may be sent, and counted all the same', () => {
    const { requests, sent, load } = make();
    const read = (frame: object) => requests.read(new ClientText(JSON.stringify(frame)), 'attached');
    for (let n = 0; n < 400; n += 1) expect(read({ t: 'ping' })).toMatchObject({ is: 'frame' });
    expect(read({ t: 'ping' })).toBe(undefined);
    expect(read({ t: 'publish', id: 'a', topic: 'x', data: 'x'.repeat(2_000_000) })).toBe(undefined);
    expect(sent).toMatchObject([{ t: 'error', re: 'a', code: 'rate-limited' }]);
    expect(requests.received).toBe(1);
    expect(load.refused).toMatchObject({ bytes: 1, frames: 1 });
  });

  it('is refused while too many bytes wait for the broker, and taken once it has them', async () => {
    const { requests, inbound, sent } = make();
    const broker = pending<PublishOutcome>();
    inbound.outcome = broker.promise;
    const data = raw('x'.repeat(70));
    for (const id of ['a', 'b']) requests.handle({ t: 'publish', id, topic: 'x', data });
    expect(sent).toMatchObject([{ t: 'error', re: 'b', code: 'rate-limited' }]);
    broker.resolve('routed');
    await settled();
    requests.handle({ t: 'publish', id: 'c', topic: 'x', data });
    await settled();
    expect(sent.slice(1)).toEqual([
      { t: 'ok', re: 'a' },
      { t: 'ok', re: 'c' },
    ]);
  });

  it('is refused where it names too many topics that nobody here has, and those that somebody has do not count', async () => {
    const { requests, sent, topics } = make();
    for (let n = 0; n < 201; n += 1) requests.handle({ t: 'subscribe', id: `${n}`, topic: `new.${n}` });
    topics.counts.set('old', 1);
    requests.handle({ t: 'subscribe', id: 'old', topic: 'old' });
    await settled();
    expect(sent.filter(({ t }) => t === 'error')).toMatchObject([{ re: '200', code: 'rate-limited' }]);
    expect(sent.at(-1)).toEqual({ t: 'ok', re: 'old' });
  });

  it('is taken no more once the session goes: what was taken is answered first, or its client told that it is not', async () => {
    const { requests, inbound, sent } = make();
    inbound.outcome = new Promise(() => {});
    requests.handle({ t: 'publish', id: 'taken', topic: 'a', data: raw(1) });
    const closed = requests.close(10);
    requests.handle({ t: 'publish', id: 'late', topic: 'a', data: raw(2) });
    await closed;
    expect(requests.received).toBe(1);
    expect(inbound.carried.map(({ id }) => id)).toEqual(['taken']);
    expect(sent).toMatchObject([{ t: 'error', re: 'taken', code: 'broker-unavailable' }]);
  });

  it('ends with the connection where the client does not heed that it is refused', () => {
    const { requests, offences } = make();
    for (let n = 0; n < 1_400; n += 1) requests.takesIgnored();
    expect(offences).toEqual([]);
    requests.takesIgnored();
    expect(offences).toEqual(['closed']);
  });

  it.each([
    ['no service is there', 'unrouted', 'no-service'],
    ['the broker does not take it', new Error('away'), 'broker-unavailable'],
  ] as const)('is told when %s, and not timed out besides', async (_when, outcome, code) => {
    const { requests, sent, clock, limits } = make(outcome);
    requests.handle({ t: 'request', id: 'a', method: 'quote', data: raw(1) });
    await settled();
    requests.sweep(clock.nowMs + limits.requestTimeoutMs);
    expect(sent).toMatchObject([{ t: 'error', re: 'a', code }]);
  });

  it.each([
    [{ t: 'publish', id: 'a', topic: 'no wild*cards', data: raw(1) }, 'bad-topic'],
    [{ t: 'request', id: 'a', method: '', data: raw(1) }, 'bad-method'],
  ] as const)('is not carried under a key that is none: %o', async (frame, code) => {
    const { requests, inbound, sent } = make();
    requests.handle(frame);
    expect(sent).toMatchObject([{ t: 'error', re: 'a', code }]);
    expect(inbound.carried).toEqual([]);
  });

  it.each([
    ['publish', '\ud800', 0, 'bad-id'],
    ['request', 'a\udfff', 0, 'bad-id'],
    ['request', '€'.repeat(86), 0, 'bad-id'],
    ['publish', 'a', maxDataDepth + 1, 'too-deep'],
    ['request', 'a', maxDataDepth + 1, 'too-deep'],
  ] as const)('that can never be carried is told so: %s %j of depth %i', async (t, id, depth, code) => {
    const { requests, inbound, sent, load } = make();
    const data = raw(1, depth);
    requests.handle(t === 'publish' ? { t, id, topic: 'a', data } : { t, id, method: 'a', data });
    await settled();
    expect(sent).toMatchObject([{ t: 'error', re: id, code }]);
    expect(JSON.stringify(sent)).not.toContain('again');
    expect(inbound.carried).toEqual([]);
    expect(load.neverCarried).toEqual({
      depth: code === 'too-deep' ? 1 : 0,
      idBytes: id.startsWith('€') ? 1 : 0,
    });
  });

  it('is carried with an id of any length that the protocol allows, and data up to the depth', async () => {
    const { requests, inbound } = make();
    requests.handle({ t: 'publish', id: '消'.repeat(128), topic: 'a', data: raw(1, maxDataDepth) });
    requests.handle({ t: 'request', id: '€'.repeat(85), method: 'a', data: raw(1, maxDataDepth) });
    await settled();
    expect(inbound.carried).toHaveLength(2);
  });

  it('is not to be sent again when the broker refuses it for good', async () => {
    const { requests, sent } = make(new BrokerError('publish-refused', 'access refused'));
    requests.handle({ t: 'publish', id: 'a', topic: 'x', data: raw(1) });
    await settled();
    expect(sent).toMatchObject([{ t: 'error', re: 'a', code: 'forbidden' }]);
  });
});
