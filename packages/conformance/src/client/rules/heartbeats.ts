import type { Rule } from '../../rule.js';
import { must } from '../../verdict.js';
import type { ClientCase } from '../case.js';

// Long enough that a machine with much to do does not take the edge for silent.
const heartbeatMs = 1_000;

export const heartbeatRules: readonly Rule<ClientCase>[] = [
  {
    id: 'heartbeat-ping',
    section: '2.1',
    text: 'a client pings when nothing has come for heartbeatMs, and stays while it is answered (SHOULD)',
    async check(c) {
      const connection = await c.connect([], { heartbeatMs });
      await c.until(
        'sent a ping into the silence',
        () => {
          must(
            connection.closedWith === undefined,
            'The client gave up a quiet socket without asking by a ping.',
          );
          return connection.all('ping').length > 0;
        },
        4 * heartbeatMs + 1_000,
      );
      await c.never(
        'The client gave up a socket whose edge answers its pings.',
        () => connection.closedWith !== undefined || c.mesh.lookups.length > 1,
        4 * heartbeatMs,
      );
      connection.event('e1');
      await c.handedOn(['e1'], 'A quiet connection must work on');
    },
  },
  {
    id: 'heartbeat-silent',
    section: '2.1',
    text: 'a client notices an edge that has fallen silent, and comes back through the gateway (SHOULD)',
    async check(c) {
      const first = await c.connect([], { heartbeatMs });
      first.event('e1');
      await c.acked(first, 1);
      c.mesh.target = c.b;
      first.freeze();
      await c.lookup(1, 10 * heartbeatMs + 5_000);
      const second = await c.attach(c.b);
      must(
        second.all('hello')[0]?.resume === true,
        'After a silent edge the client did not resume its session.',
      );
      second.event('e2');
      await c.handedOn(['e1', 'e2'], 'After a silent edge the client must go on');
    },
  },
];
