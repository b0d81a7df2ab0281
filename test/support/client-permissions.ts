import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Action, actions, type Grants, Passes, type Rule, rules } from '@evenkeel/access';
import type { Delivery } from '@evenkeel/broker';
import { exchanges, type PassHold } from '@evenkeel/protocol';
import type { RawClient } from '@evenkeel/testkit';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from './edge.js';
import { secret } from './edge-session.js';

export { actions, rules };

const passes = new Passes([secret]);
let lastRev = 0;

/** A pass of this session's user, newer than those before. */
export function passOf(
  session: Pick<SessionUnderTest, 'uid'>,
  grants: Grants | undefined,
  lifeMs = 600_000,
): { pass: string; hold: PassHold } {
  lastRev = Math.max(lastRev + 1, Date.now());
  return passes.issue({ uid: session.uid, grants, exp: Date.now() + lifeMs, rev: lastRev });
}

const everything: Grants = { subscribe: ['#'], publish: ['#'], request: ['#'] };
const elsewhere = ['elsewhere.#'];

/** What the claim `evenkeel` of a token may be like. */
export const claims: Readonly<Record<string, Grants | undefined>> = {
  'no claim': undefined,
  'a claim that matches': everything,
  'a claim of other names': { subscribe: elsewhere, publish: elsewhere, request: elsewhere },
  'a claim that lists publish alone': { publish: ['#'] },
};
export const opposite: Grants = { subscribe: [], publish: [], request: [] };
export { everything };

/** What is asked for, and whether who is in charge would allow it. */
export const names = (uid: string): { name: string; rule: Rule; isTheirs: boolean }[] => [
  ...rules
    .filter((rule) => rule !== 'owner')
    .map((rule) => ({ name: `${rule}.yes.x`, rule, isTheirs: true })),
  { name: `owner.${uid}.x`, rule: 'owner', isTheirs: true },
  { name: 'owner.somebody.x', rule: 'owner', isTheirs: false },
  { name: 'service.no.x', rule: 'service', isTheirs: false },
  { name: 'hook.no.x', rule: 'hook', isTheirs: false },
];

/** As docs/permissions.md has it. */
export function isExpected(
  { rule, isTheirs }: { rule: Rule; isTheirs: boolean },
  grants: Grants | undefined,
  action: Action,
): boolean {
  const isGranted = grants?.[action]?.includes('#') ?? false;
  if (rule === 'nobody') return false;
  if (rule === 'claim') return isGranted;
  return isTheirs && (isGranted || grants?.[action] === undefined);
}

/** Two edges with rules of every kind, an application, a hook and what answers for a gateway. */
export class GuardedMesh {
  readonly mesh: EdgeMesh;
  readonly a: EdgeUnderTest;
  readonly b: EdgeUnderTest;
  /** What has come to the application: kind, key and session. */
  readonly carried: Set<string>;
  /** Tokens that a gateway would find good, with the pass that it would give. */
  readonly tokens: Map<string, string>;

  private constructor(
    mesh: EdgeMesh,
    [a, b]: readonly [EdgeUnderTest, EdgeUnderTest],
    carried: Set<string>,
    tokens: Map<string, string>,
  ) {
    this.mesh = mesh;
    this.a = a;
    this.b = b;
    this.carried = carried;
    this.tokens = tokens;
  }

  static async open(): Promise<GuardedMesh> {
    const mesh = await EdgeMesh.open();
    const hookSecret = randomUUID();
    const hook = await listeningHook(hookSecret);
    mesh.defer(() => hook.close());
    const { port } = hook.address() as AddressInfo;
    const namespaces = JSON.stringify({
      namespaces: Object.fromEntries(
        rules.map((rule) => [rule, { subscribe: rule, publish: rule, request: rule }]),
      ),
      hook: { url: `http://127.0.0.1:${port}/may`, secret: hookSecret },
    });
    const carried = new Set<string>();
    const tokens = new Map<string, string>();
    await answering(mesh, ['#'], (delivery) => {
      const { key, properties } = delivery;
      if (key.startsWith('$')) return undefined;
      carried.add(`${properties.type} ${key} ${String(properties.headers['evenkeel-session'])}`);
      return properties.type === 'request' ? {} : undefined;
    });
    await answering(mesh, ['$authorize.#'], ({ body }) => allowed(JSON.parse(body.toString())));
    await answering(mesh, ['$refresh'], ({ body }) => {
      const pass = tokens.get(JSON.parse(body.toString()).token);
      return pass === undefined
        ? { ok: false, code: 'bad-credentials', message: 'the token is not good' }
        : { ok: true, pass };
    });
    const env = { NAMESPACES: namespaces, AUTH: 'jwt', SETTLE_TIMEOUT_MS: '400', TAKEOVER_RETRY_MS: '200' };
    const edges = await Promise.all([mesh.edge('a', env), mesh.edge('b', env)]);
    return new GuardedMesh(mesh, edges, carried, tokens);
  }

  close(): Promise<void> {
    return this.mesh.close();
  }

  /** A session on edge a, whose token grants this. */
  async attach(
    grants: Grants | undefined,
    hello: object = {},
    lifeMs?: number,
  ): Promise<{ session: SessionUnderTest; client: RawClient; pass: string; hold: PassHold }> {
    const session = new SessionUnderTest(`user-${randomUUID().slice(0, 8)}`);
    const { pass, hold } = passOf(session, grants, lifeMs);
    const client = await session.attach(this.a, { pass, ...hello }, { pass: hold });
    return { session, client, pass, hold };
  }

  /** A new token that grants this. @returns the pass that the edge gives for it */
  async refresh(session: SessionUnderTest, client: RawClient, grants: Grants | undefined): Promise<string> {
    const token = randomUUID();
    this.tokens.set(token, passOf(session, grants).pass);
    client.send({ t: 'refresh', id: token, token });
    const answer = await client.answer(token);
    if (answer.t !== 'ok') throw new Error(`refresh was answered ${JSON.stringify(answer)}`);
    return (answer.data as { pass: string }).pass;
  }
}

/** The second word says what is allowed. */
const allowed = ({ topic }: { topic: string }) => ({ allow: topic.split('.')[1] === 'yes' });

/** Consumes what these keys bring, and replies with what `answer` gives, if anything. */
async function answering(
  mesh: EdgeMesh,
  keys: readonly string[],
  answer: (delivery: Delivery) => object | undefined,
): Promise<void> {
  const queue = `answering.${randomUUID()}`;
  await mesh.topology.declareQueue({ name: queue, durable: false, exclusive: true });
  for (const key of keys) await mesh.topology.bind(queue, exchanges.inbound, key);
  await mesh.broker.consumers().consume(queue, {
    onDelivery: (delivery) => {
      delivery.ack();
      const { replyTo, correlationId } = delivery.properties;
      const said = answer(delivery);
      if (said === undefined || replyTo === undefined) return;
      void mesh.publisher.publish(exchanges.replies, replyTo, JSON.stringify(said), {
        correlationId,
        contentType: 'application/json',
      });
    },
  });
}

/** An endpoint of the application, which answers what is signed alone. */
async function listeningHook(hookSecret: string) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    const [t = '', v1 = ''] = String(request.headers['evenkeel-signature'])
      .split(',')
      .map((part) => part.slice(part.indexOf('=') + 1));
    const isSigned = v1 === createHmac('sha256', hookSecret).update(`${t}.${body}`).digest('hex');
    response.statusCode = isSigned && request.method === 'POST' ? 200 : 401;
    response.end(JSON.stringify(allowed(JSON.parse(body))));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return server;
}
