import { cancelTypes, exchanges, receiptHeader, takenKey } from '@evenkeel/protocol';
import type { Rule } from '../rule.js';
import { mustEqual, pause } from '../verdict.js';

/** What is known of messages afterwards: by whom they were taken, and what is kept of them. */
export const keptRules: Rule[] = [
  {
    id: 'receipt',
    section: '7',
    text: 'an event with evenkeel-receipt has a receipt on mesh.cancel once its client has acknowledged it; no other has',
    async check(c) {
      const word = c.word('receipt');
      const receipts: object[] = [];
      await c.listen(exchanges.cancel, takenKey(word), ({ body, properties }) => {
        if (properties.type === cancelTypes.receipt) receipts.push(JSON.parse(body.toString()));
      });
      const { socket, placement } = await c.attach();
      await c.event('n', 1, { messageId: 'wanted', headers: { [receiptHeader]: word } });
      await c.event('n', 2, { messageId: 'plain' });
      await c.event('n', 3, { messageId: 'not a word', headers: { [receiptHeader]: `${word}.#` } });
      await c.event('n', 4, { messageId: 'last', headers: { [receiptHeader]: word } });
      const [first] = await socket.nextEvents(4);
      mustEqual(receipts, [], 'receipts before any ack');
      socket.send({ t: 'ack', seq: first?.seq });
      socket.send({ t: 'ack', seq: (first?.seq ?? 0) + 3 });
      for (let n = 0; n < 100 && receipts.length < 2; n++) await pause(20);
      const of = (id: string) => ({ id, user: c.user, session: placement.session });
      mustEqual(
        receipts.map(({ at: _, ...receipt }: { at?: unknown }) => receipt),
        [of('wanted'), of('last')],
        'receipts',
      );
    },
  },
  {
    id: 'history-refused',
    section: '2.1',
    text: 'history of a topic whose namespace keeps none is error no-history, of a pattern bad-topic',
    async check(c) {
      const { socket } = await c.attach();
      socket.send({ t: 'history', id: 'h1', topic: `${c.user}.none` });
      await socket.mustError('h1', 'no-history');
      socket.send({ t: 'history', id: 'h2', topic: `${c.user}.*`, last: 1 });
      await socket.mustError('h2', 'bad-topic');
    },
  },
];
