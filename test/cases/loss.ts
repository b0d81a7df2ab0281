import { eventually, statsOf } from '@evenkeel/testkit';
import { createOperator } from 'evenkeel';
import type { Case } from './case.js';
import { moreReports } from './reports.js';
import { Wire } from './wire.js';

const sessions = 12;

/** Last of all: the mesh's exchange goes, and all bindings with it. */
const emptied: Case = {
  name: 'broker-forgets-queues',
  right:
    'every session whose queue went is told so by one gap session-expired, and gets what is published afterwards',
  kind: 'a retry forgets what its first try learned',
  async run({ gateway, amqp, mesh }) {
    const wires: Wire[] = [];
    const userOf = (n: number): string => `forgotten-${n}`;
    for (let n = 0; n < sessions; n++) wires.push(await Wire.attach(gateway, { user: userOf(n) }));
    await amqp.call('exchange_delete', { exchange: 'mesh.events' });
    const queues = wires.map(({ session }, n) => `session.${userOf(n)}.${session}`);
    for (const queue of queues) await amqp.call('queue_delete', { queue });
    // Each edge has tried in vain by then.
    await moreReports(mesh.edges, 1);
    const more = { 'alternate-exchange': 'mesh.unrouted' };
    const declared = { exchange: 'mesh.events', exchange_type: 'topic', durable: true, arguments: more };
    await amqp.call('exchange_declare', declared);
    const isTold = (wire: Wire): boolean => wire.of('gap').some(({ topic }) => topic === undefined);
    await Promise.all(wires.map((wire) => wire.until('a gap', () => isTold(wire), 15_000)));
    // What somebody has still to say of the loss is said by then.
    await moreReports(mesh.edges, 3);
    for (const n of wires.keys()) {
      await amqp.publish({ key: `user.${userOf(n)}.after`, body: '1' }).catch(() => undefined);
    }
    const got = await Promise.all(wires.map((wire) => wire.until('it', () => wire.of('event').length === 1)));
    const reasons = wires.map((wire) =>
      wire
        .of('gap')
        .map(({ reason }) => reason)
        .join('+'),
    );
    const told = reasons.filter((each) => each === 'session-expired').length;
    const served = got.filter(Boolean).length;
    for (const wire of wires) wire.drop();
    const saw = `${told} of ${sessions} told once (${[...new Set(reasons)].join(', ')}), ${served} got the next event`;
    return { isRight: told === sessions && served === sessions, saw };
  },
};

/** A node that reports, and takes no commands: a frozen one, or one whose command queue is being made anew. */
const severalDrains: Case = {
  name: 'drain-of-several',
  right: 'a drain of several nodes that is refused leaves all of them as they were',
  kind: 'an error with side effects',
  async run({ amqp, broker, mesh }) {
    const operator = await createOperator({ amqpUrl: broker.urlFor('operator') });
    let seq = 0;
    const report = async (): Promise<void> => {
      const stats = statsOf('deaf', {
        url: 'ws://127.0.0.1:1/ws',
        boot: 'deaf',
        seq: ++seq,
        state: 'cordoned',
      });
      await amqp.publish({ exchange: 'mesh.stats', key: 'stats.deaf', body: JSON.stringify(stats) });
    };
    const reports = setInterval(() => void report().catch(() => undefined), 1000);
    const first = mesh.edges[0]?.node ?? '';
    const stateOf = async (): Promise<string> => {
      const { nodes } = await operator.status();
      return String(nodes.find(({ node }) => node === first)?.state);
    };
    try {
      const isSeen = async () => (await operator.status()).nodes.some(({ node }) => node === 'deaf');
      await eventually('the balancer sees the deaf node', isSeen, 15_000);
      const before = await stateOf();
      const answer = await operator.drain({ nodes: [first, 'deaf'] }).then(
        () => 'ok',
        (error: { code?: string }) => `refused (${error.code})`,
      );
      // Whatever was asked of it has happened, and been reported, by then.
      await moreReports(mesh.edges, 3);
      const after = await stateOf();
      return {
        isRight: answer === 'ok' || before === after,
        saw: `${answer}; ${first} ${before}, then ${after}`,
      };
    } finally {
      clearInterval(reports);
      await operator.uncordon({ node: first }).catch(() => undefined);
      await operator.close();
    }
  },
};

export const lossCases: readonly Case[] = [severalDrains, emptied];
