import { refineNamespaces } from '@evenkeel/access';
import {
  amqpSettings,
  commonSettings,
  exampleMessage,
  hasExamplePassword,
  readText,
  refineTls,
  setting,
  tlsSettings,
  wrongSecret,
} from '@evenkeel/runtime';
import { z } from 'zod';
import { isKeyEntry } from './access/keys.js';
import { readWebhooks, type Webhook } from './webhooks/settings.js';

/** What of a webhook is that of an example; undefined: nothing. */
function wrongHook({ name, secret, amqpUrl }: Webhook): string | undefined {
  const wrong = wrongSecret(secret);
  if (wrong !== undefined) return `the secret of ${name}: ${wrong}`;
  return amqpUrl !== undefined && hasExamplePassword(amqpUrl)
    ? `the password of ${name} at RabbitMQ: ${exampleMessage}`
    : undefined;
}

/** Every setting of the HTTP API: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const apiConfig = z
  .object({
    ...amqpSettings,
    ...commonSettings,
    host: z.string().default('127.0.0.1').describe('address to listen on; :: for IPv6 and IPv4'),
    port: setting.port().default(8070).describe('HTTP port; 0: any free one'),
    ...tlsSettings,
    trustedHops: setting
      .trustedHops()
      .describe('proxies in front that may name the client: X-Forwarded-For or Forwarded'),
    apiKeys: z
      .array(
        z.string().refine(isKeyEntry).meta({
          takes: 'name:SCOPES:HASH, as npx evenkeel api-key prints it; SCOPES joined by +',
        }),
      )
      .max(1_000)
      .default([])
      .describe('who may ask, and what; unset: nobody')
      .meta({ secret: true }),
    keyRequestsPerSecond: setting
      .count(1_000_000)
      .default(500)
      .describe('requests a second, of one key; each message of a batch counts as one'),
    keyRequestsBurst: setting.count(1_000_000).default(1_000).describe('the same, in one burst'),
    maxOpenRequests: setting
      .count(100_000)
      .default(256)
      .describe('requests of one key that are being answered; of all keys together four times as many'),
    maxBodyBytes: setting.bytes(67_108_864).default(1_048_576).describe('longest body of a request'),
    idempotencyKeys: setting
      .count(1_000_000)
      .default(10_000)
      .describe('Idempotency-Keys remembered with their answers, 16 MiB together; the oldest is forgotten'),
    idempotencyS: z
      .int()
      .min(1)
      .max(604_800)
      .default(86_400)
      .describe('how long an Idempotency-Key is remembered, in seconds'),
    namespaces: z
      .string()
      .optional()
      .describe('as at the edges: of which namespaces there is a history; read at the start')
      .meta({ secret: true, takes: 'JSON, or the path of a file with it' }),
    webhooks: z
      .string()
      .refine((text) => typeof readWebhooks(text) !== 'string')
      .optional()
      .describe('applications that are told by HTTP what clients do; best as EVENKEEL_WEBHOOKS_FILE')
      .meta({ takes: 'JSON as docs/http-api.md has it', secret: true }),
  })
  .superRefine(refineTls)
  .superRefine(refineNamespaces(readText))
  .superRefine(({ webhooks }, context) => {
    const read = webhooks === undefined ? [] : readWebhooks(webhooks);
    const wrong = typeof read === 'string' ? read : read.map(wrongHook).find((each) => each !== undefined);
    if (wrong !== undefined) context.addIssue({ code: 'custom', path: ['webhooks'], message: wrong });
  });
export type ApiConfig = z.infer<typeof apiConfig>;
