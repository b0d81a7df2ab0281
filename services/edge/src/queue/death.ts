import type { Delivery } from '@evenkeel/broker';

/** Where and why RabbitMQ has dropped a dead letter last: its first death may have been in an application's queue. */
export function lastDeath({ properties }: Pick<Delivery, 'properties'>): {
  queue?: unknown;
  reason?: unknown;
  exchange?: unknown;
} {
  const deaths = properties.headers['x-death'];
  const [last] = Array.isArray(deaths) ? deaths : [];
  return typeof last === 'object' && last !== null ? last : {};
}
