import { amqpSettings, commonSettings, setting } from '@evenkeel/runtime';
import { z } from 'zod';

/** Every setting of the demo: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const demoConfig = z.object({
  ...amqpSettings,
  operatorAmqpUrl: setting
    .brokers()
    .optional()
    .describe('RabbitMQ, as a user who may rebalance; the same as the other unless given')
    .meta({ secret: true }),
  ...commonSettings,
  everyMs: setting.ms().min(10).default(1_000).describe('time between two prices, and two orders'),
});
export type DemoConfig = z.infer<typeof demoConfig>;
