import type { Delivery, PublishProperties } from '@evenkeel/broker';
import {
  answerAddress,
  answersHeader,
  askHeader,
  askKey,
  errorHeader,
  exchanges,
  methodHeader,
  questionKey,
  sessionHeader,
  toUid,
  wantHeader,
} from '@evenkeel/protocol';
import type { Case } from '../case.js';
import type { Rule } from '../rule.js';
import { must, mustEqual, pause } from '../verdict.js';

/** The `n`-th that comes, counted from 1. */
async function arrived(answers: readonly Delivery[], n = 1): Promise<Delivery> {
  for (let looks = 0; looks < 500; looks++) {
    const delivery = answers[n - 1];
    if (delivery !== undefined) return delivery;
    await pause(20);
  }
  must(false, `${answers.length} of ${n} answers came to reply_to within 10 s`);
}

/** Asks as any service would; what comes back is in the list. */
async function ask(c: Case, user: string, properties: PublishProperties = {}): Promise<Delivery[]> {
  const answers: Delivery[] = [];
  const replyTo = await c.queue((delivery) => answers.push(delivery));
  const key = questionKey(toUid(user), 'conformance.ask');
  const given = {
    contentType: 'application/json',
    correlationId: 'c1',
    replyTo,
    mandatory: true,
    ...properties,
  };
  const outcome = await c.mesh.publisher.publish(exchanges.ask, key, '{"order":7}', given);
  mustEqual(outcome, 'routed', 'a question on mesh.ask');
  return answers;
}

export const askRules: Rule[] = [
  {
    id: 'ask-in-order',
    section: '2.2',
    text: 'a question of the balancer comes as ask among the events, counted with them, and its answer goes to mesh.replies',
    async check(c) {
      const asker = c.word('asker');
      const id = `${asker}.${'0'.repeat(22)}`;
      const answers: Delivery[] = [];
      await c.listen(exchanges.replies, answerAddress(asker), (delivery) => answers.push(delivery));
      const { socket, placement } = await c.attach();
      await c.event('e', 1);
      await c.publish(askKey(toUid(c.user)), '{"order":7}', {
        contentType: 'application/json',
        userId: c.mesh.user,
        headers: { [askHeader]: id, [methodHeader]: 'q' },
      });
      await c.event('e', 2);
      const { seq, method, data, id: named } = await socket.next('ask');
      mustEqual([seq, method, data, named], [2, 'q', { order: 7 }, id], 'ask');
      mustEqual(
        (await socket.nextEvents(2)).map((event) => event.seq),
        [1, 3],
        'seq of the events around it',
      );
      socket.ack(3);
      socket.send({ t: 'answer', id, data: { accepted: true } });
      await socket.mustOk(id);
      const { body, properties } = await arrived(answers);
      mustEqual([properties.correlationId, body.toString()], [id, '{"accepted":true}'], 'the answer');
      mustEqual(properties.headers[sessionHeader], placement.session, sessionHeader);
      socket.send({ t: 'answer', id: 'made-up', data: 1 });
      await socket.mustError('made-up', 'not-asked');
    },
  },
  {
    id: 'ask-answered',
    section: '7',
    text: 'a question on mesh.ask is answered on reply_to by the first session, or by all and an end',
    async check(c) {
      const one = await c.attach();
      const two = await c.attach();
      const first = await ask(c, c.user);
      const { id } = await two.socket.next('ask');
      two.socket.send({ t: 'answer', id, data: 'here' });
      const { body, properties } = await arrived(first);
      mustEqual([body.toString(), properties.correlationId], ['"here"', 'c1'], 'the answer');
      mustEqual(properties.headers[sessionHeader], two.placement.session, sessionHeader);
      await one.socket.next('ask');
      const all = await ask(c, c.user, { headers: { [wantHeader]: 'all' }, expiration: 5_000 });
      for (const { socket } of [one, two])
        socket.send({ t: 'answer', id: (await socket.next('ask')).id, data: 1 });
      const end = await arrived(all, 3);
      mustEqual(end.properties.headers[answersHeader], 2, answersHeader);
      mustEqual(JSON.parse(end.body.toString()), { answers: 2, silent: [] }, 'the end');
    },
  },
  {
    id: 'ask-unanswered',
    section: '7',
    text: 'whoever asks a user without a session is told no-session, and one whose client stays silent timeout',
    async check(c) {
      const code = async (answers: Delivery[]) => (await arrived(answers)).properties.headers[errorHeader];
      mustEqual(await code(await ask(c, c.user)), 'no-session', errorHeader);
      await c.attach();
      mustEqual(await code(await ask(c, c.user, { expiration: 300 })), 'timeout', errorHeader);
      mustEqual(await code(await ask(c, c.user, { expiration: 60_001 })), 'bad-question', errorHeader);
    },
  },
];
