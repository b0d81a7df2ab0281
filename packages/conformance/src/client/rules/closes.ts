import { afterClose, closeCodes } from '@evenkeel/protocol';
import type { Rule } from '../../rule.js';
import { must, mustEqual } from '../../verdict.js';
import { type ClientCase, settleMs } from '../case.js';

/** Codes that the table does not have follow their range. */
const others = [
  { code: 4499, reason: 'unknown' },
  { code: 4999, reason: 'unknown' },
  { code: 1001, reason: '' },
  { code: 1002, reason: '' },
  { code: 1003, reason: '' },
  { code: 1007, reason: '' },
  { code: 1008, reason: '' },
  { code: 1011, reason: '' },
];
const codes = [...Object.values(closeCodes), ...others].sort((x, y) => x.code - y.code);

/** The client comes back to the same session, and works. */
async function mustComeBack(c: ClientCase, known: number, how: string): Promise<void> {
  const lookup = await c.lookup(known);
  mustEqual(lookup.query.get('session'), c.mesh.session, `${how} the client asked for another session`);
  const connection = await c.attach(c.a);
  const [hello] = connection.all('hello');
  must(hello?.resume === true, `${how} the client did not resume its session: hello has no resume: true.`);
  connection.event('after');
  await c.handedOn(['before', 'after'], `${how} the client must go on`);
}

/** It is told, and does not come back. */
export async function mustStop(c: ClientCase, known: number, how: string): Promise<void> {
  await c.until(`told its application, by a line closed, that it has given up ${how}`, () => {
    must(c.mesh.lookups.length === known, `The client came back ${how}, where it must stop.`);
    return c.hasClosed;
  });
  await c.never(
    `The client came back ${how}, where it must stop.`,
    () => c.mesh.lookups.length > known,
    4 * settleMs,
  );
}

export const closeRules: readonly Rule<ClientCase>[] = [
  ...codes.map(({ code, reason }): Rule<ClientCase> => {
    const isStop = afterClose(code) === 'stop';
    return {
      id: `close-${code}`,
      section: '3',
      text: `after ${code}${reason && ` ${reason}`} a client ${isStop ? 'stops' : 'comes back to its session'}`,
      async check(c) {
        const connection = await c.connect();
        connection.event('before');
        await c.acked(connection, 1);
        const known = c.mesh.lookups.length;
        connection.close(code, reason);
        const how = `after a close with ${code}`;
        if (isStop) await mustStop(c, known, how);
        else await mustComeBack(c, known, `A${how.slice(1)}`);
      },
    };
  }),
  {
    id: 'close-4501-before-welcome',
    section: '3',
    text: 'a client that is superseded before its welcome stops too',
    async check(c) {
      c.launch();
      const connection = await c.hello(c.a);
      connection.close(4501, 'superseded');
      await mustStop(c, 1, 'after a close with 4501 before welcome');
    },
  },
  {
    id: 'close-4010-before-welcome',
    section: '1',
    text: 'a client whose ticket is for another edge goes back to the gateway, and does not take the socket for accepted',
    async check(c) {
      c.launch();
      const connection = await c.hello(c.a);
      connection.close(4010, c.b.url);
      c.mesh.target = c.b;
      await c.lookup(1);
      const second = await c.attach(c.b);
      must(
        c.sockets.every(({ ticket, edge }) => ticket !== connection.ticket || edge === c.a),
        'The client dialled the URL in the reason of 4010 by itself.',
      );
      second.event('e1');
      await c.handedOn(['e1'], 'After 4010 the client must work at the edge it was sent to');
    },
  },
  {
    id: 'close-lost',
    section: '5',
    text: 'a client whose connection breaks comes back to its session',
    async check(c) {
      const connection = await c.connect();
      connection.event('before');
      await c.acked(connection, 1);
      const known = c.mesh.lookups.length;
      connection.terminate();
      const lookup = await c.lookup(known);
      mustEqual(
        lookup.query.get('from')?.split(',')[0],
        'edge-a',
        'The client did not say from which node it comes',
      );
      await mustComeBack(c, known, 'After a loss');
    },
  },
];
