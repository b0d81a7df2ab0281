import { describe, expect, it } from 'vitest';
import { isReplyAddress } from './reply-address.js';

const direct = 'amq.rabbitmq.reply-to';
/** As RabbitMQ 3.10.8 and 4.0.5 have written them. */
const genuine = [
  'g1h2AA5yZXBseUAyMzk0NjY3NgAAQIEAAAABawg5zg==.qn4SXj3aU7nJjpYu0jiDYQ==',
  'g1h2AA5yZXBseUAyODk0MzM1MgAAAuUAAAAAawg/Kg==.XkjlH63F5TzKjNxyuFcfCg==',
].map((text) => `${direct}.${text}`);
const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

describe('an answer', () => {
  it.each(['amq.gen-JzTY', 'operator.abc', ...genuine])('may go to %s', (name) =>
    expect(isReplyAddress(name)).toBe(true),
  );

  it.each(['session.alice.s1', 'mesh.plan', 'mesh.manage', 'operator', 'amq.gen', ' operator.x', ''])(
    'goes to no other queue, such as %j, in which somebody would take it for something else',
    (name) => expect(isReplyAddress(name)).toBe(false),
  );

  it('goes to no name that is longer than AMQP carries', () =>
    expect(isReplyAddress(`operator.${'x'.repeat(300)}`)).toBe(false));

  it.each([
    direct,
    `${direct}.`,
    `${direct}..`,
    `${direct}.x.y`,
    `${direct}.!!!.y`,
    `${direct}.${base64('\x83d\0\x03foo')}.k`,
    `${direct}.${base64('\x83h\0')}.${base64('key')}`,
    `${direct}.${base64(`\x83Xv\0\x0ereply@2394667${'x'.repeat(12)}`)}.${base64('key')}`,
    `${direct}.${base64(`\x83Xw\x09rabbit@me${'x'.repeat(12)}`)}.${base64('key')}`,
    ...genuine.flatMap((name) => [name.slice(0, -1), `${name}.x`, name.replace('=.', '.'), `${name}=`]),
  ])('goes to no direct reply-to that RabbitMQ would end the connection over: %s', (name) =>
    expect(isReplyAddress(name)).toBe(false),
  );
});
