import { isSid } from '@evenkeel/protocol';
import type { Rule } from '../rule.js';
import { must, mustEqual } from '../verdict.js';

async function mustRefuse(response: Response, status: number, what: string): Promise<void> {
  mustEqual(response.status, status, `status for ${what}`);
  const body = (await response.json()) as { error?: { code?: unknown; message?: unknown } };
  must(
    typeof body.error?.code === 'string' && typeof body.error.message === 'string',
    `the body for ${what} has no error with code and message: ${JSON.stringify(body)}`,
  );
}

export const gatewayRules: Rule[] = [
  {
    id: 'gateway-answer',
    section: '1',
    text: 'GET /gateway answers 200 with url, node, ticket, session and expiresInMs',
    async check(c) {
      const response = await c.ask({ user: c.user });
      mustEqual(response.status, 200, 'status');
      must(response.headers.get('content-type')?.startsWith('application/json'), 'the answer is not JSON');
      const body = (await response.json()) as Record<string, unknown>;
      for (const field of ['url', 'node', 'ticket', 'session'])
        must(typeof body[field] === 'string' && body[field] !== '', `${field} is ${String(body[field])}`);
      must(/^wss?:\/\//.test(String(body.url)), `url is ${String(body.url)}`);
      must(Number(body.expiresInMs) > 0, `expiresInMs is ${String(body.expiresInMs)}`);
    },
  },
  {
    id: 'gateway-makes-session',
    section: '1',
    text: 'without `session` the gateway makes up one of [A-Za-z0-9_-]{1,64}, another each time',
    async check(c) {
      const [a, b] = [await c.place(), await c.place()];
      must(isSid(a.session), `the session is '${a.session}'`);
      must(a.session !== b.session, 'two clients got one session');
    },
  },
  {
    id: 'gateway-keeps-session',
    section: '1',
    text: 'with `session` it places that session',
    async check(c) {
      const session = c.word('tab');
      mustEqual((await c.place({ session })).session, session, 'session');
    },
  },
  {
    id: 'gateway-from-list',
    section: '1',
    text: '`from` takes one node or several, separated by commas',
    async check(c) {
      const session = c.word('tab');
      for (const from of ['edge-x', 'edge-x,edge-y,edge-z']) await c.place({ session, from });
    },
  },
  {
    id: 'gateway-tried',
    section: '1',
    text: 'a node named in `tried` is not chosen while another may take the client; names of no node change nothing',
    async check(c) {
      const { node } = await c.place();
      // Two edges are what every check of a move needs as well.
      const other = await c.place({ tried: `${node},edge-x` });
      must(other.node !== node, `${node} was chosen though it was tried`);
    },
  },
  {
    id: 'gateway-bad-query',
    section: '1',
    text: '400 with a JSON error for a query it cannot read',
    async check(c) {
      for (const session of ['with space', 'dot.ted', '*', 'x'.repeat(65)])
        await mustRefuse(await c.ask({ user: c.user, session }), 400, `session '${session}'`);
      for (const name of ['from', 'tried'])
        await mustRefuse(await c.ask({ user: c.user, [name]: 'no node!' }), 400, `${name} 'no node!'`);
      const nine = Array(9).fill('edge-x').join();
      await mustRefuse(await c.ask({ user: c.user, tried: nine }), 400, 'nine nodes in tried');
    },
  },
  {
    id: 'gateway-long-user',
    section: '7',
    text: '400 for a user id over 96 bytes of UTF-8, 10 KB included; 96 bytes are taken',
    async check(c) {
      for (const user of ['x'.repeat(97), 'é'.repeat(49), 'u'.repeat(10_240)])
        await mustRefuse(await c.ask({ user }), 400, `a user id of ${Buffer.byteLength(user)} bytes`);
      const user = c.user.padEnd(96, '.');
      const { socket } = await c.attach({ user });
      await c.event('long', 1, { user });
      await socket.next('event');
    },
  },
  {
    id: 'gateway-credentials',
    section: '1',
    text: '401 with a JSON error without credentials',
    async check(c) {
      await mustRefuse(await c.ask({}), 401, 'a request without credentials');
    },
  },
];
