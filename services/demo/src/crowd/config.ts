import { z } from 'zod';

const port = () => z.coerce.number().int().min(0).max(65_535);

/** Every setting of the crowd: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const crowdConfig = z.object({
  amqpUrl: z
    .string()
    .default('amqp://guest:guest@127.0.0.1:5672')
    .describe('RabbitMQ, with user and password')
    .meta({ secret: true }),
  gateway: z
    .string()
    .default('http://127.0.0.1:8080')
    .describe('the gateway, with EVENKEEL_AUTH=dev, that the clients ask'),
  crowdClients: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(60)
    .describe('SDK clients, each a user of its own'),
  crowdEveryMs: z.coerce
    .number()
    .int()
    .min(100)
    .default(1_000)
    .describe('time between two numbered events of a client, and between two messages of their topic'),
  opsPort: port().default(0).describe('health and metrics port; /status has the counts'),
  opsHost: z.string().default('127.0.0.1').describe('address of the health and metrics server'),
});
export type CrowdConfig = z.infer<typeof crowdConfig>;
