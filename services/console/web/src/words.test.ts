import { expect, it } from 'vitest';
import { staleReason } from './words.js';

it('that no node has been heard is said only where the balancer has said so', () => {
  expect(staleReason('RabbitMQ is away.', 9_000)).toBe('RabbitMQ is away.');
  expect(staleReason(undefined, 9_000)).toBe('No node has been heard since.');
  expect(staleReason(undefined, undefined)).toBe('No newer view has come.');
});
