import { defaults, strategies } from '@evenkeel/protocol';
import { z } from 'zod';

const perSecond = () => z.coerce.number().positive().max(1_000_000);
const port = () => z.coerce.number().int().min(0).max(65_535);

/** Every setting of a gateway: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const gatewayConfig = z.object({
  amqpUrl: z
    .string()
    .default('amqp://guest:guest@127.0.0.1:5672')
    .describe('RabbitMQ, with user and password')
    .meta({ secret: true }),
  secret: z
    .string()
    .min(16)
    .describe('ticket secret shared with the edges; several separated by commas while changing it')
    .meta({ secret: true }),
  host: z.string().default('0.0.0.0').describe('address to listen on'),
  port: port().default(8080).describe('HTTP port; 0: any free one'),
  opsPort: port().default(0).describe('health and metrics port'),
  opsHost: z.string().default('127.0.0.1').describe('address of the health and metrics server'),
  logLevel: z.string().default('info').describe('pino level'),

  auth: z
    .enum(['off', 'dev', 'jwt'])
    .default('off')
    .describe('who may come: off (nobody), dev (?user= is believed; serves the demo page), jwt'),
  jwtSecret: z
    .string()
    .min(32)
    .optional()
    .describe('HS256 secret of auth=jwt, at least 32 bytes')
    .meta({ secret: true }),
  jwksUrl: z.string().optional().describe('key set of auth=jwt: an https:// or file:// URL'),
  jwtIssuer: z.string().optional().describe('required `iss` of auth=jwt'),
  jwtAudience: z.string().optional().describe('required `aud` of auth=jwt'),
  corsOrigin: z
    .string()
    .default('*')
    .describe('origins of pages that may ask: * (without cookies), or a list separated by commas (with)'),
  pageDir: z.string().optional().describe('folder of the page served at / with auth=dev'),
  localUrl: z
    .url()
    .optional()
    .describe(
      'where the npm start that runs this gateway takes requests for edges; set by it, used with auth=dev',
    ),
  localToken: z.string().optional().describe('its token; set by npm start').meta({ secret: true }),

  ticketLifetimeMs: z.coerce
    .number()
    .int()
    .min(1_000)
    .default(defaults.ticketLifetimeMs)
    .describe('how long a ticket may be used'),
  strategy: z.enum(strategies).default('least-loaded').describe('placement: least-loaded or consistent-hash'),
  preferNewest: z.boolean().default(true).describe('while several versions run, prefer the newest'),
  handshakesPerSecond: perSecond()
    .default(500)
    .describe('clients sent to one edge a second at most, by this gateway; falls while the edge is slow'),
  handshakeTargetMs: perSecond().default(250).describe('handshake p99 above which an edge gets fewer'),
  newSessionsPerSecond: perSecond()
    .default(400)
    .describe('new sessions a second over all edges, by this gateway: each costs two broker metadata writes'),
});
export type GatewayConfig = z.infer<typeof gatewayConfig>;
