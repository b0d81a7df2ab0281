import { amqpSettings, commonSettings, setting } from '@evenkeel/runtime';
import { z } from 'zod';

/** Every setting of the crowd: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const crowdConfig = z.object({
  ...amqpSettings,
  ...commonSettings,
  gateway: setting
    .url('http:', 'https:')
    .default('http://127.0.0.1:8080')
    .describe('the gateway, with EVENKEEL_AUTH=dev, that the clients ask'),
  crowdClients: setting.count(1_000).default(60).describe('SDK clients, each a user of its own'),
  crowdEveryMs: setting
    .ms()
    .min(100)
    .default(1_000)
    .describe('time between two numbered events of a client, and between two messages of their topic'),
});
export type CrowdConfig = z.infer<typeof crowdConfig>;
