import { gzipSync } from 'node:zlib';
import type { Message } from './amqp.js';
import type { Case } from './case.js';
import { type Frame, Wire } from './wire.js';

const kind = 'AMQP is taken for what our SDK sends';

/** Ids are bytes: four counters of four bytes each. */
const binaryIds: Case = {
  name: 'binary-ids',
  right: 'message ids that are not UTF-8 stay different',
  kind: 'identity guessed from content',
  async run({ gateway, amqp }) {
    const wire = await Wire.attach(gateway, { user: 'binary-ids' });
    for (let n = 250; n < 254; n++) {
      const messageId = Buffer.alloc(4);
      messageId.writeUInt32BE(n);
      await amqp.publish({ key: 'user.binary-ids.counted', body: String(n), messageId });
    }
    await wire.until('four events', () => wire.of('event').length === 4);
    const ids = wire.of('event').map(({ id }) => id);
    wire.drop();
    return { isRight: new Set(ids).size === 4, saw: `ids ${JSON.stringify(ids)}` };
  },
};

const secondKeys: Case = {
  name: 'keys-of-cc',
  right: 'a message reaches whom its CC header names, user or topic, as if the key were its own',
  kind,
  async run({ gateway, amqp }) {
    const one = await Wire.attach(gateway, { user: 'cc-one' }, { topics: ['copies.first'] });
    const two = await Wire.attach(gateway, { user: 'cc-two' }, { topics: ['copies.second'] });
    const rows: [string, string, (frame: Frame) => boolean][] = [
      ['topic.copies.first', 'topic.copies.second', (frame) => frame.topic === 'copies.second'],
      ['user.cc-one.bill', 'topic.copies.second', (frame) => frame.topic === 'copies.second'],
      ['topic.copies.first', 'user.cc-two.bill', (frame) => frame.t === 'event' && frame.name === 'bill'],
    ];
    const wrong: string[] = [];
    for (const [n, [key, cc, isIt]] of rows.entries()) {
      await amqp.publish({ key, properties: { message_id: `copy-${n}`, headers: { CC: [cc] } } });
      const hasCome = await two.until('its copy', () =>
        two.frames.some((f) => f.id === `copy-${n}` && isIt(f)),
      );
      if (!hasCome) wrong.push(`${key} with CC ${cc}`);
    }
    one.drop();
    two.drop();
    return {
      isRight: wrong.length === 0,
      saw: wrong.length === 0 ? 'all three' : `missing: ${wrong.join('; ')}`,
    };
  },
};

interface Property {
  readonly what: string;
  readonly message: Omit<Message, 'key'>;
  readonly isRight: (frame: Frame) => boolean;
}

const says = (frame: Frame, text: string): boolean => JSON.stringify(frame).includes(text);
const isSeven = ({ data }: Frame): boolean => JSON.stringify(data) === '{"n":7}';
const properties: readonly Property[] = [
  {
    what: 'JSON in gzip',
    message: { body: gzipSync('{"n":7}'), properties: { content_encoding: 'gzip' } },
    isRight: (frame) => isSeven(frame) || says(frame, 'gzip'),
  },
  {
    what: 'JSON in UTF-16',
    message: { body: Buffer.from('{"n":7}', 'utf16le'), properties: { content_encoding: 'utf-16le' } },
    isRight: (frame) => isSeven(frame) || says(frame, 'utf-16'),
  },
  {
    what: 'CloudEvents with a time of type T',
    message: {
      properties: { headers: { cloudEvents_type: 't', cloudEvents_time: { timestamp: 1_767_225_600 } } },
    },
    isRight: (frame) => Object.keys((frame.headers ?? {}) as object).some((name) => name.endsWith('time')),
  },
  {
    what: 'a timestamp in µs',
    message: { properties: { timestamp: 1_790_000_000_000_000 } },
    isRight: (frame) => Number(frame.at) < 4e12,
  },
];

const foreignProperties: Case = {
  name: 'properties-of-others',
  right: 'encodings, charsets, times and timestamps arrive whole, or are told',
  kind,
  async run({ gateway, amqp }) {
    const wire = await Wire.attach(gateway, { user: 'foreign' });
    const wrong: string[] = [];
    for (const [n, { what, message, isRight }] of properties.entries()) {
      const given = { message_id: `foreign-${n}`, ...message.properties };
      await amqp.publish({ ...message, key: 'user.foreign.e', properties: given });
      await wire.until(what, () => wire.of('event').length > n);
      const frame = wire.of('event')[n];
      if (frame === undefined || !isRight(frame)) wrong.push(`${what}: ${JSON.stringify(frame)}`);
    }
    wire.drop();
    return { isRight: wrong.length === 0, saw: wrong.length === 0 ? 'all four' : wrong.join('; ') };
  },
};

const longIds: Case = {
  name: 'long-request-ids',
  right:
    'a publish whose id keeps the limit in characters is taken, however many bytes it has with user and session',
  kind: 'characters are counted, not bytes',
  async run({ gateway, amqp }) {
    const queue = String(await amqp.call('queue_declare', { queue: '', exclusive: true }));
    await amqp.call('queue_bind', { queue, exchange: 'mesh.inbound', routing_key: 'long-ids.#' });
    const rows = [
      ['u', 's', 'i'.repeat(128)],
      ['u', 's'.repeat(64), 'i'.repeat(128)],
      ['ü'.repeat(48), 's'.repeat(64), 'i'.repeat(64)],
      ['u', 't', '€'.repeat(90)],
      ['u', 'v', '消'.repeat(128)],
    ] as const;
    const wrong: string[] = [];
    for (const [user, session, id] of rows) {
      const wire = await Wire.attach(gateway, { user, session });
      wire.send({ t: 'publish', id, topic: 'long-ids.x', data: 1 });
      await wire.until('an answer', () => wire.frames.some(({ t }) => t === 'ok' || t === 'error'));
      const answer = wire.frames.find(({ t }) => t === 'ok' || t === 'error');
      if (answer?.t !== 'ok') wrong.push(`${Buffer.byteLength(id)} bytes: ${JSON.stringify(answer)}`);
      wire.drop();
    }
    return { isRight: wrong.length === 0, saw: wrong.length === 0 ? 'all five' : wrong.join('; ') };
  },
};

const numbers: Case = {
  name: 'numbers-from-clients',
  right: 'what a client sends reaches a service as the client wrote it, numbers beyond 2^53 too',
  kind,
  async run({ gateway, amqp }) {
    const queue = String(await amqp.call('queue_declare', { queue: '', exclusive: true }));
    await amqp.call('queue_bind', { queue, exchange: 'mesh.inbound', routing_key: 'numbers.raw' });
    const wire = await Wire.attach(gateway, { user: 'numbers' });
    const sent = ['9007199254740993', '98765432109876543210', '{"id":1724442618569203714}', '-0', '0.1'];
    for (const [id, data] of sent.entries())
      wire.send(`{"t":"publish","id":${id},"topic":"numbers.raw","data":${data}}`);
    await wire.until('the answers', () => wire.of('ok').length === sent.length);
    const got: string[] = [];
    for (const _ of sent) {
      const message = (await amqp.call('basic_get', { queue, auto_ack: true })) as { body: string } | null;
      got.push(message?.body ?? 'nothing');
    }
    wire.drop();
    return { isRight: got.join() === sent.join(), saw: got.join(' ') };
  },
};

export const foreignCases: readonly Case[] = [binaryIds, secondKeys, foreignProperties, longIds, numbers];
