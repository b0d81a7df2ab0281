import { type Client, type ConnectOptions, connect } from '@evenkeel/client';
import { eventually } from '@evenkeel/testkit';
import WebSocket from 'ws';
import type { Case, Scene, Seen } from './case.js';

/** A client of this case's own user, closed at its end. */
async function withClient(
  user: string,
  { gateway }: Scene,
  act: (client: Client) => Promise<Seen>,
  options: Partial<ConnectOptions> = {},
): Promise<Seen> {
  const client = connect({ gateway, WebSocket, user, storage: false, ...options });
  try {
    await client.ready();
    return await act(client);
  } finally {
    await client.close();
  }
}

const seen = (got: unknown, right: unknown): Seen => {
  const saw = JSON.stringify(got);
  return { isRight: saw === JSON.stringify(right), saw };
};

const sharedHandler: Case = {
  name: 'client-shared-handler',
  right: 'one function given several times is as many subscribers, and ending one, twice too, ends no other',
  kind: 'ownership by value instead of one token a registration',
  run: (scene) =>
    withClient('shared', scene, async (client) => {
      const got = { strict: 0, two: 0, again: 0, on: 0 };
      const strict = () => got.strict++;
      const first = client.subscribe('shared.strict', strict);
      void first.then((subscription) => subscription.unsubscribe());
      await client.subscribe('shared.strict', strict);
      const two = () => got.two++;
      const one = await client.subscribe('shared.two', two);
      await client.subscribe('shared.two', two);
      await one.unsubscribe();
      const again = () => got.again++;
      const old = await client.subscribe('shared.again', again);
      await old.unsubscribe();
      await client.subscribe('shared.again', again);
      await old.unsubscribe();
      const on = () => got.on++;
      const off = client.on('shared', on);
      client.on('shared', on);
      off();
      let isOver = false;
      client.on('over', () => {
        isOver = true;
      });
      for (const name of ['strict', 'two', 'again'])
        await scene.amqp.publish({ key: `topic.shared.${name}`, body: '1' });
      await scene.amqp.publish({ key: 'user.shared.shared', body: '1' });
      await scene.amqp.publish({ key: 'user.shared.over', body: '1' });
      await eventually('all have come', () => isOver && got.strict + got.two + got.again >= 3);
      return seen(got, { strict: 1, two: 1, again: 1, on: 1 });
    }),
};

const topicsOption: Case = {
  name: 'client-topics-option',
  right: 'a topic of the options goes on when some other part ends its own subscription',
  kind: "one part's unsubscribe against another's subscription",
  run: (scene) =>
    withClient(
      'optional',
      scene,
      async (client) => {
        const got: unknown[] = [];
        client.onMessage(({ data }) => got.push(data));
        const widget = await client.subscribe('optional', () => {});
        await scene.amqp.publish({ key: 'topic.optional', body: '1' });
        await eventually('the first', () => got.length === 1);
        await widget.unsubscribe();
        await scene.amqp.publish({ key: 'topic.optional', body: '2' });
        await eventually('the second', () => got.length === 2).catch(() => {});
        return seen(got, [1, 2]);
      },
      { topics: ['optional'] },
    ),
};

const unsubscribeThenClose: Case = {
  name: 'client-unsubscribe-then-close',
  right:
    '`unsubscribe(); await close()` leaves no unhandled rejection, and without a socket it resolves at once',
  kind: 'undoing what is gone is an error',
  async run(scene) {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(String(error));
    process.on('unhandledRejection', note);
    try {
      await withClient('ending', scene, async (client) => {
        const subscription = await client.subscribe('ending', () => {});
        void subscription.unsubscribe();
        await client.close();
        await subscription.unsubscribe();
        return seen(0, 0);
      });
      // Node tells of them once the microtasks are done.
      await new Promise((done) => setImmediate(done));
      return seen(unhandled, []);
    } finally {
      process.off('unhandledRejection', note);
    }
  },
};

/** Who handles what, in a client. */
export const clientHandlerCases: readonly Case[] = [sharedHandler, topicsOption, unsubscribeThenClose];
