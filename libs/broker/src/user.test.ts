import { expect, it } from 'vitest';
import { userOf } from './user.js';

it('tells the user of an address, as RabbitMQ knows it', () => {
  expect(userOf('amqp://balancer:secret@rabbit:5672/vhost')).toBe('balancer');
  expect(userOf('amqps://a%40b:p@rabbit')).toBe('a@b');
  expect(userOf('amqp://rabbit')).toBe('guest');
  expect(userOf('amqp://edge:p@rabbit-1,amqp://edge:p@rabbit-2')).toBe('edge');
  expect(userOf('rabbit')).toBeUndefined();
});
