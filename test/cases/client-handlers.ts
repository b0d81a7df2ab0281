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

const eventWithoutHandler: Case = {
  name: 'client-event-without-handler',
  right: 'events that come before their handler wait for it, in order',
  kind: 'acknowledged in silence',
  run: (scene) =>
    withClient('late', scene, async (client) => {
      for (let n = 0; n < 20; n++) await scene.amqp.publish({ key: 'user.late.n', body: `${n}` });
      const got: unknown[] = [];
      client.on('n', ({ data }) => got.push(data));
      await eventually('all', () => got.length === 20).catch(() => {});
      return seen(
        got,
        Array.from({ length: 20 }, (_, n) => n),
      );
    }),
};

const starEvent: Case = {
  name: 'client-star-event-twice',
  right: 'an event whose name is * reaches a handler of all events once',
  kind: 'a reserved word that others may say',
  run: (scene) =>
    withClient('star', scene, async (client) => {
      const got: string[] = [];
      client.on('*', ({ name }) => got.push(name));
      await scene.amqp.publish({ key: 'user.star.*', body: '1' });
      await scene.amqp.publish({ key: 'user.star.end', body: '1' });
      await eventually('the last', () => got.includes('end'));
      return seen(got, ['*', 'end']);
    }),
};

const closeInHandler: Case = {
  name: 'client-close-in-handler',
  right: 'close() in a handler does not wait for that handler, and its event comes to no other client',
  kind: 'waiting for oneself',
  async run(scene) {
    let tookMs = Number.POSITIVE_INFINITY;
    let session: string | undefined;
    await withClient('closing', scene, async (client) => {
      session = client.session;
      client.on('logout', async () => {
        const beganAt = performance.now();
        await client.close();
        tookMs = performance.now() - beganAt;
      });
      await scene.amqp.publish({ key: 'user.closing.logout', body: '1' });
      await eventually('it is closed', () => tookMs < Number.POSITIVE_INFINITY);
      return seen(0, 0);
    });
    const got: string[] = [];
    const next = connect({
      gateway: scene.gateway,
      WebSocket,
      user: 'closing',
      storage: false,
      ...(session && { session }),
    });
    try {
      next.on('*', ({ name }) => got.push(name));
      await next.ready();
      await scene.amqp.publish({ key: 'user.closing.end', body: '1' });
      await eventually('the last', () => got.includes('end'));
    } finally {
      await next.close();
    }
    return seen([tookMs < 1_000, got], [true, ['end']]);
  },
};

/** Who handles what, in a client. */
export const clientHandlerCases: readonly Case[] = [
  sharedHandler,
  topicsOption,
  unsubscribeThenClose,
  eventWithoutHandler,
  starEvent,
  closeInHandler,
];
