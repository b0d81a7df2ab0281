import { describe, expectTypeOf, it } from 'vitest';
import type { createPublisher } from './publisher.js';
import type { InboundMessage, Publisher, Service, SessionAnswer } from './types.js';

interface Events {
  'order.created': { number: number };
}
interface Topics {
  'prices.eur': { price: number };
  [room: `chat.${string}`]: string;
}
interface Methods {
  'shop.greet': (data: { language: string }) => { text: string };
  'shop.stop': () => void;
}

type Typed = Publisher<Events, Topics, Methods>;

describe('maps of types', () => {
  it('are interfaces, and say what each event, topic and method carries', () => {
    const use = (typed: Typed) => {
      void typed.toUser('alice', 'order.created', { number: 7 });
      void typed.toTopic('chat.harbour', 'ahoy');
      const payload = { number: 7 };
      void typed.batch([
        { users: ['alice', 'bob'], event: 'order.created', payload, options: { id: 'order-7' } },
      ]);
      void typed.serve('shop.greet', async ({ data }) => {
        expectTypeOf(data).toEqualTypeOf<{ language: string }>();
        return { text: data.language };
      });
      void typed.serve('shop.*', (message) => expectTypeOf(message).toEqualTypeOf<InboundMessage<unknown>>());
      // @ts-expect-error no such event
      void typed.toUser('alice', 'order.creatd', { number: 7 });
      // @ts-expect-error another payload
      void typed.toUsers(['alice'], 'order.created', { number: '7' });
      // @ts-expect-error another payload
      void typed.toTopic('prices.eur', 'dear');
      // @ts-expect-error another answer
      void typed.serve('shop.greet', () => ({ txt: '' }));
      // @ts-expect-error no such method
      void typed.serve('shop.great', () => ({ text: '' }));
    };
    expectTypeOf(use).returns.toBeVoid();
    expectTypeOf<typeof createPublisher<Events, Topics, Methods>>().returns.resolves.toEqualTypeOf<Typed>();
  });

  it('may be one, as clients take it', () => {
    interface Mesh {
      events: Events;
      topics: { news: string };
      requests: { 'shop.price': { data: { item: string }; reply: number } };
      served: { 'order.confirm': { data: { order: number }; reply: boolean } };
    }
    const use = async (create: typeof createPublisher) => {
      const typed = await create<Mesh>({ amqpUrl: 'amqp://127.0.0.1', name: 'shop' });
      void typed.toUser('alice', 'order.created', { number: 7 });
      void typed.toTopic('news', 'ahoy');
      void typed.serve('shop.price', ({ data }) => data.item.length);
      expectTypeOf(await typed.ask('alice', 'order.confirm', { order: 7 })).toEqualTypeOf<boolean>();
      const all = await typed.ask('alice', 'order.confirm', { order: 7 }, { want: 'all' });
      expectTypeOf(all).toEqualTypeOf<SessionAnswer<boolean>[]>();
      expectTypeOf(await typed.ask('alice', 'other')).toEqualTypeOf<unknown>();
      // @ts-expect-error no such event
      void typed.toUser('alice', 'order.creatd', { number: 7 });
      // @ts-expect-error another answer
      void typed.serve('shop.price', () => 'dear');
    };
    expectTypeOf(use).returns.resolves.toBeVoid();
  });

  it('may be left out: then every name and payload will do', () => {
    const use = (untyped: Publisher) => {
      void untyped.toUser('alice', 'any', Symbol.iterator);
      void untyped.toTopic('any', undefined);
      expectTypeOf(
        untyped.serve<{ n: number }>('sum.*', ({ data }) => data.n),
      ).resolves.toEqualTypeOf<Service>();
      void untyped.serve('any', ({ data }) => expectTypeOf(data).toBeUnknown());
    };
    expectTypeOf(use).returns.toBeVoid();
  });
});
