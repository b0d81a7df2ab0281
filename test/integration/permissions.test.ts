import { randomBytes } from 'node:crypto';
import { Broker } from '@evenkeel/broker';
import { rightsOf, userDefinitions, vhostDefinitions } from '@evenkeel/mesh/rights';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshVhost, importDefinitions } from '../support/broker.js';
import { Actor, actions, isAllowed, prepared, type User, users } from '../support/permissions.js';

const actors = new Map<User, Actor>();
const seen = new Map<string, boolean>();

beforeAll(async () => {
  const { vhost, amqpUrl, urlFor } = await freshVhost();
  // The user of one edge is made here: the others are there from the broker's start.
  const ofOneEdge = { user: 'edge-n1', password: randomBytes(12).toString('hex'), salt: randomBytes(4) };
  await importDefinitions({
    ...userDefinitions([ofOneEdge]),
    ...vhostDefinitions(vhost, [ofOneEdge.user]),
  });
  const administrator = await Broker.connect({ url: amqpUrl, name: 'permissions', attempts: 3 });
  const names = [prepared.session, prepared.manage, prepared.plan, prepared.otherService];
  await administrator.declare({
    queues: [
      ...names,
      ...users.flatMap((user) => [prepared.spareQueue(user), prepared.spareSession(user)]),
    ].map((name) => ({ name })),
    exchanges: users.map((user) => ({ name: prepared.spareExchange(user), type: 'topic' as const })),
  });
  await administrator.close();
  for (const user of users) {
    const url = new URL(urlFor(user === ofOneEdge.user ? 'edge' : user));
    if (user === ofOneEdge.user) {
      url.username = user;
      url.password = ofOneEdge.password;
    }
    actors.set(user, await Actor.connect(user, url.href));
  }
}, 60_000);

afterAll(async () => {
  await Promise.all([...actors.values()].map((actor) => actor.close()));
  console.log(table());
});

describe.each(actions)('$name', (action) => {
  it.each(users)('%s', async (user) => {
    const actor = actors.get(user);
    if (actor === undefined) throw new Error(`${user} is not connected`);
    const isDone = await isAllowed(action, actor);
    seen.set(`${action.name} ${user}`, isDone);
    expect(isDone ? 'allowed' : 'refused').toBe(action.allowed.includes(user) ? 'allowed' : 'refused');
  });
});

it('every user has rights and is tried', () => {
  for (const user of users) expect(rightsOf(user)).toBeDefined();
  expect(actions.length * users.length).toBeGreaterThan(60);
});

/** What RabbitMQ let whom do. */
function table(): string {
  const width = Math.max(...actions.map(({ name }) => name.length));
  const lines = actions.map(({ name }) => {
    const cells = users.map((user) => {
      const isDone = seen.get(`${name} ${user}`);
      return (isDone === undefined ? '?' : isDone ? 'yes' : '–').padEnd(user.length);
    });
    return `${name.padEnd(width)}  ${cells.join('  ')}`;
  });
  return ['', `${''.padEnd(width)}  ${users.join('  ')}`, ...lines, ''].join('\n');
}
