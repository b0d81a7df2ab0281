import { join } from 'node:path';
import { stateDir } from '@evenkeel/local';
import { eventually } from '@evenkeel/testkit';
import { createOperator } from 'evenkeel';
import { judge } from '../delivery/judge/judge.js';
import { DeliveryClient } from '../delivery/run/client.js';
import type { Manner } from '../delivery/run/participant.js';
import { Recorder } from '../delivery/run/recorder.js';
import type { Case, Scene, Seen } from './case.js';

/** A client that records all, somebody who publishes to it, and the judge's word on what came of it. */
async function judged(
  name: string,
  { gateway, amqp }: Scene,
  given: { user: string; manner: Manner; topics: string[]; mayGap?: true },
  act: (client: DeliveryClient, publish: (key: string, data: unknown) => Promise<void>) => Promise<void>,
): Promise<Seen> {
  const recorder = new Recorder(join(stateDir, 'cases', `${name}.jsonl`));
  const client = new DeliveryClient({ gatewayUrl: gateway, recorder, ...given });
  let n = 0;
  const publish = async (key: string, data: unknown): Promise<void> => {
    const mine = { publisher: 'bare', n: ++n };
    recorder.add({ kind: 'publish', ...mine, keys: [key], data });
    const outcome = await amqp.publish({ key, body: JSON.stringify(data) }).then(
      () => 'routed' as const,
      () => 'returned' as const,
    );
    recorder.add({ kind: 'confirm', ...mine, outcome });
  };
  await connected(client);
  await act(client, publish);
  await quiet(client);
  client.close();
  await recorder.close();
  const verdict = judge({ lines: recorder.lines, malformed: [] });
  const { owed, delivered, lost, lateGaps, repeated, reordered, falseGaps, gaps, listedGaps } = verdict;
  const counts = { owed, delivered, gaps, listedGaps, lost, lateGaps, repeated, reordered, falseGaps };
  // What is told in vain, as after each lost socket, is no loss.
  const isAll = delivered === owed && gaps === listedGaps;
  const isRight = verdict.ok && (given.mayGap === true ? delivered > 0 : isAll);
  return { isRight, saw: `${JSON.stringify(counts)}, log ${recorder.path}` };
}

const connected = (client: DeliveryClient): Promise<unknown> =>
  eventually('the client is connected', () => client.isConnected, 10_000);

/** Nothing has come for a while. */
async function quiet(client: DeliveryClient, forMs = 2000): Promise<void> {
  const beganAt = performance.now();
  const isQuiet = () => performance.now() - Math.max(client.lastAt, beganAt) >= forMs;
  await eventually(`nothing comes for ${forMs} ms`, isQuiet, 20_000);
}

const equalMessages: Case = {
  name: 'equal-messages',
  right:
    'on and off twenty times over three moves and two cuts: all of them, in order, as events and on a topic',
  kind: 'identity guessed from content',
  async run(scene) {
    const operator = await createOperator({ amqpUrl: scene.broker.urlFor('operator') });
    try {
      const given = { user: 'lamp', manner: 'moved' as const, topics: ['lamps'] };
      return await judged('equal-messages', scene, given, async (client, publish) => {
        for (let n = 0; n < 20; n++) {
          const data = n % 2 === 0 ? 'on' : 'off';
          await publish('user.lamp.switched', data);
          await publish('topic.lamps', data);
          if (n % 5 === 4) await moved(client, operator);
          if (n % 8 === 7) {
            // A topic's message that is on the wire when the socket breaks is told as a gap.
            await quiet(client, 500);
            client.cut();
            await connected(client);
          }
        }
      });
    } finally {
      await operator.close();
    }
  },
};

async function moved(
  client: DeliveryClient,
  operator: Awaited<ReturnType<typeof createOperator>>,
): Promise<void> {
  await connected(client);
  const from = client.node ?? '';
  await operator.drain({ node: from });
  await eventually('the client has moved', () => client.isConnected && client.node !== from, 10_000);
  await operator.uncordon({ node: from });
}

const equalOnTheWire: Case = {
  name: 'equal-event-on-the-wire',
  right: 'two equal events are two, also when the second is on the wire while the socket breaks',
  kind: 'identity guessed from content',
  run: (scene) =>
    judged(
      'equal-event-on-the-wire',
      scene,
      { user: 'wire', manner: 'quick', topics: [] },
      async (client, publish) => {
        await publish('user.wire.switched', 'on');
        await eventually('the first has come', () => client.lastAt > 0);
        const sleeping = client.sleep(800);
        await publish('user.wire.switched', 'on');
        await sleeping;
        await connected(client);
      },
    ),
};

const slept: Case = {
  name: 'slept-past-its-life',
  right: 'who slept past the session’s life gets what was published meanwhile, or a gap',
  kind: 'loss is guessed from what the client says',
  run: (scene) =>
    judged(
      'slept-past-its-life',
      scene,
      { user: 'sleeper', manner: 'sleeping', topics: [], mayGap: true },
      async (client, publish) => {
        const sleeping = client.sleep(2 * scene.lifetimeMs + 2000);
        for (const n of [1, 2, 3]) await publish('user.sleeper.n', n);
        await sleeping;
        await connected(client);
        await publish('user.sleeper.n', 4);
      },
    ),
};

export const identityCases: readonly Case[] = [equalMessages, equalOnTheWire, slept];
