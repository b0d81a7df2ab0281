import type { Rule } from '../../rule.js';
import { must, mustEqual } from '../../verdict.js';
import type { ClientCase } from '../case.js';

/** More look-ups or sockets than this in the time watched are a loop, not a back-off. */
const loopMs = 2_500;
const loopCount = 15;

/** The answer is given for ever: how often does the client ask? */
async function mustNotLoop(c: ClientCase, what: string, count: () => number): Promise<void> {
  await c.until('asked the gateway', () => c.mesh.lookups.length > 0);
  await c.never(
    `The client retries without a back-off: more than ${loopCount} times in ${loopMs / 1000} s, where ${what}.`,
    () => count() > loopCount,
    loopMs,
  );
}

export const gatewayRules: readonly Rule<ClientCase>[] = [
  {
    id: 'gateway-asks',
    section: '1',
    text: 'a client asks GET /gateway as its user and dials what it is told, with the ticket and the subprotocol',
    async check(c) {
      const connection = await c.connect();
      const [lookup] = c.mesh.lookups;
      mustEqual(lookup?.path, '/gateway', 'The client asked the gateway at another path');
      mustEqual(lookup?.query.get('user'), c.user, 'The client asked the gateway as another user');
      mustEqual(connection.ticket, 'ticket-1', 'The client did not show the ticket it was given');
      mustEqual(c.mesh.lookups.length, 1, 'The client asked the gateway more than once for one socket');
      connection.event('e1');
      await c.handedOn(['e1'], 'An event of the first socket must be handed on');
    },
  },
  ...[503, 429].map((status) => ({
    id: status === 503 ? 'gateway-retry-after' : `gateway-retry-after-${status}`,
    section: '1',
    text: `after a ${status} a client waits at least as long as Retry-After says, and then comes back`,
    async check(c: ClientCase) {
      const busy = {
        status,
        headers: { 'retry-after': '2' },
        body: { error: { code: 'full', message: 'full' } },
      };
      c.mesh.answer = () => busy;
      c.launch();
      await c.until('asked the gateway', () => c.mesh.lookups.length > 0);
      const sinceMs = performance.now();
      await c.never(
        'The client asked again before the 2 s of Retry-After were over.',
        () => c.mesh.lookups.length > 1,
        1_900,
      );
      c.mesh.answer = undefined;
      await c.lookup(1, 20_000);
      must(performance.now() - sinceMs > 1_900, 'The client asked again before Retry-After was over.');
      await c.attach(c.a);
    },
  })),
  ...[
    {
      id: 'html',
      what: 'an HTML page with status 200',
      answer: { status: 200, text: '<html>Back soon</html>' },
    },
    {
      id: 'shape',
      what: 'JSON of another shape with status 200',
      answer: { status: 200, body: { ok: true } },
    },
    { id: 'null', what: 'the JSON null with status 200', answer: { status: 200, text: 'null' } },
    {
      id: '502',
      what: 'an HTML page with status 502',
      answer: { status: 502, text: '<html>Bad gateway</html>' },
    },
    {
      id: 'odd-retry-after',
      what: '503 with a Retry-After that is no number',
      answer: { status: 503, headers: { 'retry-after': 'soon' }, text: '' },
    },
  ].map(
    ({ id, what, answer }): Rule<ClientCase> => ({
      id: `gateway-odd-${id}`,
      section: '1',
      text: `a client that gets ${what} tries again later`,
      async check(c) {
        c.mesh.answer = () => answer;
        c.launch();
        await c.until('asked the gateway', () => c.mesh.lookups.length > 0);
        // What answers is a page of maintenance, which ends.
        c.mesh.answer = undefined;
        const connection = await c.attach(c.a);
        connection.event('e1');
        await c.handedOn(['e1'], `After ${what} the client must work as ever`);
      },
    }),
  ),
  {
    id: 'gateway-back-off',
    section: '1',
    text: 'a client backs off while the gateway fails',
    async check(c) {
      c.mesh.answer = () => ({ status: 500, body: { error: { code: 'internal', message: 'failed' } } });
      c.launch();
      await mustNotLoop(c, 'the gateway answers 500', () => c.mesh.lookups.length);
    },
  },
  {
    id: 'gateway-unauthorized',
    section: '1',
    text: 'a client whose credentials are refused does not ask in a loop, and dials nothing',
    async check(c) {
      c.mesh.answer = () => ({ status: 401, body: { error: { code: 'bad-token', message: 'expired' } } });
      c.launch();
      await mustNotLoop(c, 'the gateway answers 401', () => c.mesh.lookups.length);
      must(c.sockets.length === 0, 'The client dialled an edge although the gateway had answered 401.');
    },
  },
  {
    id: 'edge-refuses',
    section: '1',
    text: 'a client whose ticket an edge refuses goes back to the gateway for another, with back-off',
    async check(c) {
      c.a.refuseWith = 401;
      c.launch();
      await c.lookup(1);
      c.a.refuseWith = undefined;
      const connection = await c.attach(c.a);
      must(connection.ticket !== 'ticket-1', 'The client showed the refused ticket again.');
    },
  },
  {
    id: 'edge-away',
    section: '1',
    text: 'a client that cannot reach the edge it was sent to goes back to the gateway',
    async check(c) {
      const nowhere = { url: 'ws://127.0.0.1:1/ws', node: 'edge-z', ticket: 'lost', expiresInMs: 30_000 };
      c.mesh.answer = () =>
        c.mesh.lookups.length > 1
          ? undefined
          : { status: 200, body: { ...nowhere, session: c.mesh.session } };
      c.launch();
      const connection = await c.attach(c.a);
      connection.event('e1');
      await c.handedOn(['e1'], 'After an edge that was not there the client must work at the next');
    },
  },
  {
    id: 'edge-back-off',
    section: '1',
    text: 'a client backs off while every edge refuses it',
    async check(c) {
      c.a.refuseWith = 503;
      c.launch();
      await mustNotLoop(c, 'edges answer 503', () => c.mesh.lookups.length);
    },
  },
  {
    id: 'close-back-off',
    section: '3',
    text: 'a client backs off while edges close every socket before welcome',
    async check(c) {
      c.a.onConnection = ({ socket }) => socket.close(4006, 'broker-unavailable');
      c.launch();
      await mustNotLoop(c, 'edges close each socket with 4006', () => c.mesh.lookups.length);
    },
  },
  {
    id: 'tried',
    section: '1',
    text: 'a client names a node that failed before welcome in tried, and forgets it at the next welcome (SHOULD)',
    isAdvice: true,
    async check(c) {
      c.a.refuseWith = 503;
      c.mesh.answer = () => {
        if (c.mesh.lookups.length > 1) c.mesh.target = c.b;
        return undefined;
      };
      c.launch();
      const asked = await c.lookup(1);
      const tried = asked.query.get('tried')?.split(',') ?? [];
      must(tried.includes('edge-a'), 'The client did not name the node that failed in tried.');
      const connection = await c.attach(c.b);
      const known = c.mesh.lookups.length;
      connection.close(4000, 'drained');
      const next = await c.lookup(known);
      must(
        !next.query.get('tried')?.includes('edge-a'),
        'The client still names a node in tried that failed before its last welcome.',
      );
    },
  },
];
