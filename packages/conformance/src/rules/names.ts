import { exchanges, nodeStats, sessionQueue, statsKey, toUid, userKey } from '@evenkeel/protocol';
import type { Rule } from '../rule.js';
import { must, mustEqual, pause } from '../verdict.js';

/** User ids that would do harm if they reached a routing key as they are. */
const awkward = ['*', '#', 'a.b', 'with space', '~tilde', 'ünï-🦊', '../..', 'x'.repeat(65), '*.#'];

export const nameRules: Rule[] = [
  {
    id: 'user-ids',
    section: '7',
    text: "any user id of 1 to 96 bytes works: *, #, dots, spaces, Unicode; its events come, nobody else's",
    async check(c) {
      const users = awkward.map((id) => `${id}${id.length > 60 ? '' : c.word('')}`);
      const attached = [];
      for (const user of users) attached.push(await c.attach({ user }));
      const bystander = await c.attach();
      for (const user of users) await c.publish(userKey(toUid(user), 'for.you'), JSON.stringify(user));
      await c.event('mine', 'mine');
      for (const { socket, user } of attached) {
        mustEqual((await socket.next('event')).data, user, `event of '${user.slice(0, 20)}'`);
        await socket.mustNot('event', 30, `'${user}' got more than its own`);
      }
      mustEqual((await bystander.socket.next('event')).data, 'mine', "a bystander's first event");
    },
  },
  {
    id: 'user-wildcards',
    section: '7',
    text: 'the users `*` and `#` get nothing of others',
    async check(c) {
      for (const user of ['*', '#']) {
        const { socket } = await c.attach({ user });
        await c.event('secret', 1);
        await c.publish(userKey(toUid(user), 'own'), JSON.stringify(c.user));
        const own = await socket.next('event');
        mustEqual([own.name, own.data], ['own', c.user], `the first event of '${user}'`);
      }
    },
  },
  {
    id: 'exchanges',
    section: '7',
    text: 'the exchanges have the names and kinds of the table',
    async check(c) {
      await c.mesh.declareExchanges();
    },
  },
  {
    id: 'session-queue',
    section: '7',
    text: 'a session has the queue session.<uid>.<sid>, with one consumer',
    async check(c) {
      const user = `${c.user}.dotted`;
      const { placement } = await c.attach({ user });
      const found = await c.mesh.topology.checkQueue(sessionQueue(toUid(user), placement.session));
      mustEqual(found?.consumers, 1, 'consumers');
    },
  },
  {
    id: 'unrouted',
    section: '7',
    text: 'an event that reaches no queue goes to mesh.unrouted',
    async check(c) {
      const keys: string[] = [];
      await c.listen(exchanges.unrouted, '', ({ key }) => keys.push(key));
      const key = userKey(c.word('nobody'), 'e');
      await c.publish(key, '1');
      for (let n = 0; n < 100 && !keys.includes(key); n++) await pause(20);
      must(keys.includes(key), 'it did not come within 2 s');
    },
  },
  {
    id: 'stats',
    section: '7',
    text: 'every edge sends stats.<node> to mesh.stats each second',
    async check(c) {
      const heard = new Map<string, number>();
      await c.listen(exchanges.stats, 'stats.*', ({ key, body }) => {
        const stats = nodeStats.safeParse(JSON.parse(body.toString()));
        if (stats.success && key === statsKey(stats.data.node)) heard.set(key, (heard.get(key) ?? 0) + 1);
      });
      await pause(3_600);
      for (const { node } of c.mesh.nodes) {
        const count = heard.get(statsKey(node)) ?? 0;
        must(count >= 3 && count <= 6, `${node}: ${count} in 3.6 s`);
      }
    },
  },
];
