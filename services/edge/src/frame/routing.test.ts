import type { Delivery } from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { nameFor, topicsOf } from './routing.js';

const delivery = (key: string, CC?: unknown) =>
  ({ key, properties: { headers: CC === undefined ? {} : { CC } } }) as Delivery;

describe('the name of an event', () => {
  it.each([
    ['its own key', 'user.bob.order.made', undefined, 'order.made'],
    ['the bare key of its user', 'user.bob', undefined, ''],
    ['a key of CC, behind another user’s', 'user.ann.x', ['user.bob.order.made'], 'order.made'],
    ['a key of CC, behind a topic', 'topic.news', ['topic.more', 'user.bob.y', 'user.bob.z'], 'y'],
    ['its own key before those of CC', 'user.bob.x', ['user.bob.y'], 'x'],
    ['another user’s key, by BCC', 'user.ann.x', undefined, 'x'],
    ['a user’s key that only begins like its own', 'user.bobby.x', ['user.bo.y'], 'x'],
    ['any key at all, straight from the default exchange', 'session.bob.s', undefined, 'session.bob.s'],
    ['any key, with a CC that RabbitMQ would never take', 'topic.a', { 0: 'user.bob.x' }, 'topic.a'],
  ])('is taken from %s', (_where, key, cc, name) => {
    expect(nameFor(delivery(key, cc), 'bob')).toBe(name);
  });
});

describe('the topics of a message', () => {
  it.each([
    ['topic.a', undefined, ['a']],
    ['topic.a', ['topic.b', 'topic.a', 'user.bob.x', 7], ['a', 'b']],
    ['user.bob.x', ['topic.b'], ['b']],
    ['user.bob.x', undefined, []],
  ])('of %s and CC %j are each told once', (key, cc, topics) => {
    expect([...topicsOf(delivery(key, cc))]).toEqual(topics);
  });
});
