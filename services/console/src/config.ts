import {
  amqpSettings,
  commonSettings,
  isProduction,
  refineTls,
  setting,
  tlsSettings,
} from '@evenkeel/runtime';
import { z } from 'zod';
import { isTokenEntry } from './access/tokens.js';

/** Every setting of a console: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const consoleConfig = z
  .object({
    ...amqpSettings,
    ...commonSettings,
    host: z.string().default('127.0.0.1').describe('address to listen on; :: for IPv6 and IPv4'),
    port: setting.port().default(8090).describe('HTTP port; 0: any free one'),
    ...tlsSettings,
    trustedHops: setting
      .trustedHops()
      .describe('proxies in front that may name the browser and how it asked: X-Forwarded-For, -Proto'),
    consoleTokens: z
      .array(
        z
          .string()
          .refine(isTokenEntry)
          .meta({ takes: 'name:view:HASH or name:operate:HASH, as npx evenkeel console-token prints it' }),
      )
      .max(1_000)
      .default([])
      .describe('who may log in, and whether to operate; unset: nobody')
      .meta({ secret: true }),
    consoleOpen: z
      .boolean()
      .default(false)
      .describe('development: whoever is on this machine operates, without a login'),
    consoleHosts: z
      .array(
        z
          .string()
          .regex(/^[A-Za-z0-9._-]+$/)
          .meta({ takes: 'a name without a port' }),
      )
      .default([])
      .describe('names that browsers may call the console by, beside localhost, the host name and addresses'),
    rabbitmqApiUrl: setting
      .url('http:', 'https:')
      .optional()
      .describe(
        "RabbitMQ's management API with a user of the tag monitoring, for the broker's page; unset: what the mesh knows",
      )
      .meta({ secret: true }),
  })
  .superRefine(refineTls)
  .superRefine(({ consoleOpen }, context) => {
    if (!consoleOpen || !isProduction()) return;
    const message = 'NODE_ENV is production; unset it, and give operators tokens: npx evenkeel console-token';
    context.addIssue({ code: 'custom', path: ['consoleOpen'], message });
  });
export type ConsoleConfig = z.infer<typeof consoleConfig>;
