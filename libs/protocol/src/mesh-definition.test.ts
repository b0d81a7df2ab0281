import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  checkedAt,
  defineMesh,
  type MeshOf,
  type Place,
  type ServiceMeshOf,
  schemaAt,
} from './mesh-definition.js';
import { issuesText, type StandardSchema } from './standard-schema.js';

const date = z.string().transform((text) => new Date(text));
const mesh = defineMesh({
  events: { 'order.created': z.object({ number: z.int(), at: date }) },
  topics: { 'room.lobby': z.string(), 'room.*': z.object({ text: z.string() }), 'ticks.#': date },
  requests: { 'shop.price': { data: z.object({ item: z.string() }), reply: z.number() } },
  streams: { 'assistant.ask': { data: z.string(), part: z.string() } },
  served: { 'order.confirm': { data: z.object({ order: z.int() }), reply: z.boolean() } },
});

const wrong = ({ message }: { message: string }): Error => new Error(message);
const check = (place: Place, value: unknown): unknown => checkedAt(mesh, place, value, wrong);

describe('a definition of a mesh', () => {
  it('says what each side gives and gets, also where a schema makes another value', () => {
    type Client = MeshOf<typeof mesh>;
    type Service = ServiceMeshOf<typeof mesh>;
    expectTypeOf<Client['events']['order.created']>().toEqualTypeOf<{ number: number; at: Date }>();
    expectTypeOf<Service['events']['order.created']>().toEqualTypeOf<{ number: number; at: string }>();
    expectTypeOf<Client['topics']['room.42']>().toEqualTypeOf<{ text: string }>();
    expectTypeOf<Client['streams']['assistant.ask']>().toEqualTypeOf<{
      readonly data: string;
      readonly part: string;
    }>();
    expectTypeOf<Service['served']['order.confirm']['reply']>().toEqualTypeOf<boolean>();
  });

  it('gives the schema of a name, a topic its own before those of patterns in their order', () => {
    expect(schemaAt(mesh, { kind: 'topics', name: 'room.lobby' })).toBe(mesh.topics['room.lobby']);
    expect(schemaAt(mesh, { kind: 'topics', name: 'room.42' })).toBe(mesh.topics['room.*']);
    expect(schemaAt(mesh, { kind: 'topics', name: 'news' })).toBeUndefined();
    expect(schemaAt(mesh, { kind: 'events', name: 'toString' })).toBeUndefined();
    const part = schemaAt(mesh, { kind: 'requests', name: 'assistant.ask', part: 'part' });
    expect(part).toBe(mesh.streams['assistant.ask'].part);
  });

  it('checks data and says in one sentence what is wrong and where', () => {
    const given = check({ kind: 'events', name: 'order.created' }, { number: 7, at: '2026-01-01' });
    expect(given).toEqual({ number: 7, at: new Date('2026-01-01') });
    expect(() => check({ kind: 'events', name: 'order.created' }, { number: 'x', at: '' })).toThrow(
      /^the data of event 'order.created' is not as the mesh defines it: number: /,
    );
    expect(() => check({ kind: 'served', name: 'order.confirm', part: 'reply' }, 1)).toThrow(
      /^a reply of the method 'order.confirm' is not/,
    );
    expect(check({ kind: 'events', name: 'other' }, 1)).toBe(1);
  });

  it('takes schemas that are asynchronous, and those that are functions', async () => {
    const late = Object.assign(() => {}, {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: async (value: unknown) =>
          value === 1 ? { value } : { issues: [{ message: 'no one', path: [{ key: 'a' }, 0] }] },
      },
    }) as unknown as StandardSchema<number>;
    const slow = defineMesh({ events: { one: late } });
    const place = { kind: 'events', name: 'one' } as const;
    await expect(checkedAt(slow, place, 1, wrong)).resolves.toBe(1);
    await expect(checkedAt(slow, place, 2, wrong)).rejects.toThrow('a.0: no one');
  });

  it.each([
    [null, /the definition must be an object/],
    [{ event: {} }, /'event' must be events, topics/],
    [{ events: { x: {} } }, /events\['x'\] must be a Standard Schema/],
    [{ events: { 'x.*': z.string() } }, /events\['x\.\*'\] must be under a name/],
    [{ topics: { 'a b': z.string() } }, /topics\['a b'\] must be under a name/],
    [{ requests: { a: { answer: z.string() } } }, /requests\['a'\]\.answer must be data, reply/],
    [{ requests: { a: {} }, streams: { a: {} } }, /'a' must be in requests or in streams/],
  ])('refuses %j', (definition, message) => {
    expect(() => defineMesh(definition as never)).toThrow(message);
  });

  it('tells three issues, and how many more there are', () => {
    const issues = Array.from({ length: 5 }, (_, n) => ({ message: `m${n}` }));
    expect(issuesText(issues)).toBe('m0; m1; m2; and 2 more');
  });
});
