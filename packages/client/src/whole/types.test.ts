import { describe, expectTypeOf, it } from 'vitest';
import type { Client, connect } from '../index.js';

interface Mesh {
  events: { 'order.created': { number: number } };
  topics: { [room: `room.${string}`]: { text: string } };
  requests: { 'shop.price': { data: { item: string }; reply: number } };
}

describe('the map of types', () => {
  it('may be one, an interface, and says what each event, topic and method carries', () => {
    const use = async (typed: Client<Mesh>) => {
      typed.on('order.created', ({ data }) => expectTypeOf(data).toEqualTypeOf<{ number: number }>());
      await typed.subscribe('room.42', ({ data }) => expectTypeOf(data).toEqualTypeOf<{ text: string }>());
      typed.topic('room.42').on('message', ({ data }) => expectTypeOf(data.text).toBeString());
      void typed.topic('room.42').publish({ text: 'ahoy' });
      expectTypeOf(await typed.request('shop.price', { item: 'tea' })).toBeNumber();
      // @ts-expect-error no such event
      typed.on('order.creatd', () => {});
      // @ts-expect-error it has a text
      void typed.topic('room.42').publish({ txt: 'ahoy' });
    };
    expectTypeOf(use).returns.resolves.toBeVoid();
    expectTypeOf<ReturnType<typeof connect<Mesh>>>().toEqualTypeOf<Client<Mesh>>();
  });

  it('may be three, or that of events alone, or left out', () => {
    const use = async (three: Client<Mesh['events'], Mesh['topics'], Mesh['requests']>, none: Client) => {
      three.on('order.created', ({ data }) => expectTypeOf(data.number).toBeNumber());
      await three.subscribe('room.42', ({ data }) => expectTypeOf(data.text).toBeString());
      expectTypeOf(await three.request('shop.price', { item: 'tea' })).toBeNumber();
      none.on('any', ({ data }) => expectTypeOf(data).toBeUnknown());
      await none.subscribe<{ n: number }>('any', ({ data }) => expectTypeOf(data.n).toBeNumber());
    };
    expectTypeOf(use).returns.resolves.toBeVoid();
  });

  it('says of a pattern what the topics carry that it may match', () => {
    interface Prices {
      topics: {
        'prices.eur': { eur: number };
        'prices.usd': { usd: number };
        [room: `room.${string}`]: { text: string };
      };
    }
    const use = async (client: Client<Prices>) => {
      await client.subscribe('prices.*', ({ data, topic }) => {
        expectTypeOf(data).toEqualTypeOf<{ eur: number } | { usd: number }>();
        expectTypeOf(topic).toBeString();
      });
      client.topic('room.42.#').on('message', ({ data }) => expectTypeOf(data.text).toBeString());
      client.topic('room.*').on('message', ({ data }) => expectTypeOf(data.text).toBeString());
      await client.subscribe('news.*', ({ data }) => expectTypeOf(data).toBeUnknown());
      await client.subscribe<{ n: number }>('news.*', ({ data }) => expectTypeOf(data.n).toBeNumber());
    };
    expectTypeOf(use).returns.resolves.toBeVoid();
  });
});
