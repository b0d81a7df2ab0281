import type { ScriptedConnection } from '@evenkeel/testkit';
import type { Rule } from '../../rule.js';
import { must, mustEqual } from '../../verdict.js';
import type { ClientCase } from '../case.js';
import { mustStop } from './closes.js';

const needs = ['token'];

/** The client is welcomed with what the gateway has signed for it. */
async function signedIn(c: ClientCase, topics: readonly string[] = []): Promise<ScriptedConnection> {
  c.mesh.signed = { pass: 'pass-1.signed', resume: 'resume-1.signed' };
  return c.connect(topics);
}

const helloOf = (connection: ScriptedConnection) => connection.all('hello')[0];

/** The next `refresh` there. */
async function refreshAt(c: ClientCase, connection: ScriptedConnection) {
  const [refresh] = await c.until('sent refresh after expiring', () => {
    const all = connection.all('refresh');
    return all.length > 0 && all;
  });
  return refresh ?? { id: '', token: '' };
}

export const tokenRules: readonly Rule<ClientCase>[] = [
  {
    id: 'pass-in-hello',
    section: '2.1',
    text: 'the pass that the gateway gave stands in hello, in a move too',
    async check(c) {
      const first = await signedIn(c);
      mustEqual(helloOf(first)?.pass, 'pass-1.signed', 'The first hello has another pass, or none');
      first.move(c.b);
      const second = await c.hello(c.b);
      mustEqual(helloOf(second)?.pass, 'pass-1.signed', 'The hello of a move has another pass, or none');
    },
  },
  {
    id: 'resume-shown',
    section: '1',
    text: 'a client that comes back shows the gateway what proves its session',
    async check(c) {
      const first = await signedIn(c);
      first.terminate();
      const { query } = await c.lookup(1);
      mustEqual(query.get('session'), c.mesh.session, 'The client asked for another session');
      mustEqual(query.get('resume'), 'resume-1.signed', 'The client did not show what proves its session');
    },
  },
  {
    id: 'token-expiring',
    section: '2.2',
    text: 'a client whose token expires soon sends a new one, once, and goes on',
    isAdvice: true,
    needs,
    async check(c) {
      const first = await signedIn(c);
      const { authorization } = c.mesh.lookups[0] ?? {};
      first.send({ t: 'expiring', inMs: 60_000 });
      const { id, token } = await refreshAt(c, first);
      must(authorization !== `Bearer ${token}`, 'The client refreshed with the token that expires.');
      first.send({ t: 'ok', re: id, data: { pass: 'pass-2.signed' } });
      first.event('e1');
      await c.handedOn(['e1'], 'A refresh must change nothing about events');
      mustEqual(c.mesh.lookups.length, 1, 'The client asked the gateway, where refresh was enough');
    },
  },
  {
    id: 'token-new-pass',
    section: '2.1',
    text: 'the pass that a refresh was answered with stands in every later hello',
    needs,
    async check(c) {
      const first = await signedIn(c);
      first.send({ t: 'expiring', inMs: 60_000 });
      const { id } = await refreshAt(c, first);
      first.send({ t: 'ok', re: id, data: { pass: 'pass-2.signed' } });
      first.event('e1');
      await c.acked(first, 1);
      first.move(c.b);
      const second = await c.hello(c.b);
      mustEqual(
        helloOf(second)?.pass,
        'pass-2.signed',
        'The hello after a refresh has the earlier pass, or none',
      );
    },
  },
  {
    id: 'token-refresh-moved',
    section: '2.1',
    text: 'a refresh that was not answered before a move is sent again on the new socket',
    needs,
    async check(c) {
      const first = await signedIn(c);
      first.send({ t: 'expiring', inMs: 60_000 });
      const { id } = await refreshAt(c, first);
      first.move(c.b);
      const second = await c.hello(c.b);
      first.moved();
      second.welcome({ resumed: true });
      const again = await c.until('sent its refresh again on the new socket', () => second.all('refresh')[0]);
      second.send({ t: 'ok', re: again.id, data: { pass: 'pass-2.signed' } });
      second.event('e1');
      await c.handedOn(['e1'], 'A refresh must change nothing about events');
      must(id !== '', 'The client sent a refresh without an id.');
    },
  },
  {
    id: 'token-refused',
    section: '2.1',
    text: 'a refresh that is refused changes nothing: the client goes on, and backs off before it tries again',
    needs,
    async check(c) {
      const first = await signedIn(c);
      first.send({ t: 'expiring', inMs: 60_000 });
      await refreshAt(c, first);
      const answered = new Set<string>();
      const refuse = (): number => {
        for (const { id } of first.all('refresh')) {
          if (answered.has(id)) continue;
          answered.add(id);
          first.send({ t: 'error', re: id, code: 'bad-credentials', message: 'no' });
        }
        return answered.size;
      };
      await c.never('The client repeats a refused refresh without a back-off.', () => refuse() > 12, 2_000);
      first.event('e1');
      await c.handedOn(['e1'], 'A refused refresh must change nothing about events');
    },
  },
  {
    id: 'token-expired',
    section: '3',
    text: 'after 4011 a client comes back to its session with a new token',
    needs,
    async check(c) {
      const first = await signedIn(c);
      first.close(4011, 'token-expired');
      const { query, authorization } = await c.lookup(1);
      mustEqual(query.get('session'), c.mesh.session, 'The client asked for another session');
      must(
        authorization !== undefined && authorization !== c.mesh.lookups[0]?.authorization,
        'The client came back with the token that has expired.',
      );
    },
  },
  {
    id: 'gateway-denied',
    section: '1',
    text: 'a client that the gateway answers 403 denied stops',
    async check(c) {
      const body = { error: { code: 'denied', message: 'denied until tomorrow' } };
      c.mesh.answer = () => ({ status: 403, body });
      c.launch();
      await c.until('asked the gateway', () => c.mesh.lookups.length > 0);
      await mustStop(c, 1, 'after a 403 denied of the gateway');
    },
  },
  {
    id: 'topic-unsubscribed',
    section: '2.2',
    text: 'a topic that was taken away is not named in a later hello, and the others are',
    async check(c) {
      const first = await signedIn(c, ['news', 'room.1']);
      // By then a `subscribe` of its own has its answer.
      first.event('e1');
      await c.acked(first, 1);
      first.send({ t: 'unsubscribed', topic: 'room.1', reason: 'revoked' });
      first.message('news', 'm1');
      await c.messagesHandedOn('news', ['m1'], 'Of the other topics messages must go on');
      first.close(1001, '');
      const second = await c.attach(c.a);
      mustEqual(
        helloOf(second)?.topics?.join(),
        'news',
        'After room.1 was taken away the client came back with other topics',
      );
      second.event('e2');
      await c.handedOn(['e1', 'e2'], 'After a topic was taken away the client must go on');
    },
  },
];
