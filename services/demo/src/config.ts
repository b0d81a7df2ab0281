import { z } from 'zod';

const port = () => z.coerce.number().int().min(0).max(65_535);

/** Every setting of the demo: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const demoConfig = z.object({
  amqpUrl: z
    .string()
    .default('amqp://guest:guest@127.0.0.1:5672')
    .describe('RabbitMQ, with user and password')
    .meta({ secret: true }),
  opsPort: port().default(0).describe('health and metrics port'),
  opsHost: z.string().default('127.0.0.1').describe('address of the health and metrics server'),
  everyMs: z.coerce.number().int().min(10).default(1_000).describe('time between two prices, and two orders'),
});
export type DemoConfig = z.infer<typeof demoConfig>;
