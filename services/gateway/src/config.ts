import { isHookUrl, refineNamespaces } from '@evenkeel/access';
import { isNodeUrlPattern } from '@evenkeel/cluster';
import { CellsError } from '@evenkeel/pace';
import { defaults, strategies } from '@evenkeel/protocol';
import {
  amqpSettings,
  commonSettings,
  isProduction,
  readText,
  refineTls,
  setting,
  tlsSettings,
  wrongSecret,
} from '@evenkeel/runtime';
import { minSecretBytes, ticketLifetime } from '@evenkeel/ticket';
import { z } from 'zod';
import { isPemText, keysOfPem } from './auth/local-keys.js';
import { cellMapOf } from './cell/map.js';

const { count, ms, port } = setting;
const burst = () => z.number().min(1).max(1_000_000);
const perSecond = () => z.number().positive().max(1_000_000);

/** Every setting of a gateway: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const gatewayConfig = z
  .object({
    ...amqpSettings,
    ...commonSettings,
    cells: z
      .string()
      .optional()
      .describe('several cells in place of EVENKEEL_AMQP_URL (docs/scale.md); a file is read again on SIGHUP')
      .meta({ secret: true, takes: 'JSON, or the path of a file with it' }),
    secret: setting
      .secrets(minSecretBytes)
      .describe('ticket secret shared with the edges; several separated by commas while changing it'),
    host: z.string().default('0.0.0.0').describe('address to listen on; :: for IPv6 and IPv4'),
    port: port().default(8080).describe('HTTP port; 0: any free one'),
    ...tlsSettings,
    trustedHops: setting
      .trustedHops()
      .describe('proxies in front that may name the client: X-Forwarded-For or Forwarded'),

    auth: z
      .enum(['off', 'dev', 'jwt', 'hook'])
      .default('off')
      .describe(
        'how clients authenticate: off (refuses all), dev (trusts ?user=; serves the demo page), jwt, hook (asks your application)',
      ),
    allowDev: z
      .boolean()
      .default(false)
      .describe(
        'let auth=dev serve though NODE_ENV is production, as in the image: on a network that you trust',
      ),
    jwtSecret: z.string().min(32).optional().describe('HS256 secret of auth=jwt').meta({ secret: true }),
    jwksUrl: setting.url('https:', 'file:').optional().describe('key set of auth=jwt'),
    jwtPublicKey: z
      .string()
      .refine((value) => !isPemText(value) || isPem(value))
      .optional()
      .describe('public key of auth=jwt; a file is read again when it changes, and on SIGHUP')
      .meta({ takes: 'a public key in PEM, or the path of a file with it' }),
    authHookUrl: z
      .string()
      .refine(isHookUrl)
      .optional()
      .describe('endpoint of your application that says who a client is, with auth=hook')
      .meta({ takes: 'an https:// URL (http:// to this machine alone), without a user name in it' }),
    authHookSecret: z
      .string()
      .min(minSecretBytes)
      .optional()
      .describe('signs what it is asked')
      .meta({ secret: true }),
    jwtIssuer: z.string().optional().describe('required `iss` of auth=jwt'),
    jwtAudience: z.string().optional().describe('required `aud` of auth=jwt'),
    jwtMaxAgeS: z
      .int()
      .min(1)
      .max(31_536_000)
      .optional()
      .describe('how long a token counts from its `iat`, seconds; unset: until its `exp`'),
    namespaces: z
      .string()
      .optional()
      .describe('as at the edges, which go by it: a gateway does not start with what they would refuse')
      .meta({ secret: true, takes: 'JSON, or the path of a file with it' }),
    origins: setting
      .origins()
      .describe(
        'origins of pages that may ask, with cookies too; others are refused. Unset or *: any page, without cookies',
      ),
    corsOrigin: setting.origins().describe('former name of EVENKEEL_ORIGINS'),
    pageDir: z.string().optional().describe('folder of the page served at / with auth=dev'),
    localUrl: setting
      .url('http:')
      .optional()
      .describe(
        'where the npm start that runs this gateway takes requests for edges; set by it, used with auth=dev',
      ),
    consoleUrl: setting
      .url('http:', 'https:')
      .optional()
      .describe('the console, which the demo page links to; used with auth=dev'),
    localToken: z.string().optional().describe('its token; set by npm start').meta({ secret: true }),

    nodeUrlPattern: z
      .array(z.string().refine(isNodeUrlPattern).meta({ takes: 'a URL such as wss://*.example.com' }))
      .optional()
      .describe(
        'where nodes may be; one that reports another URL is ignored. Unset: any ws:// or wss:// URL',
      ),
    ticketLifetimeMs: ms()
      .min(ticketLifetime.minMs)
      .max(ticketLifetime.maxMs)
      .default(defaults.ticketLifetimeMs)
      .describe('how long a ticket may be used'),
    strategy: z
      .enum(strategies)
      .default('least-loaded')
      .describe('placement, until a balancer has said how it plans'),
    preferNewest: z.boolean().default(true).describe('while several versions run, prefer the newest'),
    handshakesPerSecond: perSecond()
      .default(500)
      .describe('clients sent to one edge a second at most, by this gateway; falls while the edge is slow'),
    handshakeTargetMs: setting
      .limitMs()
      .default(250)
      .describe('handshake p99 above which an edge gets fewer'),
    newSessionsPerSecond: perSecond()
      .default(400)
      .describe(
        'new sessions a second over all edges, by this gateway: each costs two broker metadata writes',
      ),

    addressRequestsPerSecond: perSecond()
      .default(100)
      .describe('requests a second that one address (IPv6: one /64 network) may make of this gateway'),
    addressRequestsBurst: burst().default(400).describe('the same, in one burst'),
    addressConnections: count(20_000)
      .default(2_000)
      .describe(
        "connections that one address may have to this gateway; with trusted hops they are the proxies' and not limited",
      ),
    userRequestsPerSecond: perSecond()
      .default(10)
      .describe('tickets a second that one user may ask this gateway for'),
    userRequestsBurst: burst().default(40).describe('the same, in one burst'),
    limitLoopback: setting.limitLoopback(),
    userReservations: count(1_000)
      .default(8)
      .describe(
        'clients under way to an edge that one user counts for; with a further one its oldest counts no more',
      ),
  })
  .superRefine(refineTls)
  .superRefine(refineNamespaces(readText, wrongSecret))
  .superRefine((settings, context) => {
    try {
      cellMapOf(settings);
    } catch (error) {
      if (!(error instanceof CellsError)) throw error;
      context.addIssue({ code: 'custom', path: ['cells'], message: error.message });
    }
  })
  .superRefine(({ auth, allowDev }, context) => {
    if (auth !== 'dev' || allowDev || !isProduction()) return;
    const message =
      'NODE_ENV is production, where anybody could be any user; set it to jwt, or EVENKEEL_ALLOW_DEV=yes on a network that you trust';
    context.addIssue({ code: 'custom', path: ['auth'], message });
  })
  .superRefine(({ origins, corsOrigin }, context) => {
    if (origins !== undefined && corsOrigin !== undefined) {
      const message = 'EVENKEEL_ORIGINS is set too; unset this one, its former name';
      context.addIssue({ code: 'custom', path: ['corsOrigin'], message });
    }
  })
  .superRefine(({ auth, ...settings }, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (auth === 'hook') {
      for (const path of ['authHookUrl', 'authHookSecret'] as const)
        if (settings[path] === undefined) refuse(path, 'with EVENKEEL_AUTH=hook set it');
    }
    if (auth !== 'jwt') return;
    const [first, ...others] = (['jwtSecret', 'jwksUrl', 'jwtPublicKey'] as const).filter(
      (path) => settings[path] !== undefined,
    );
    if (first === undefined)
      refuse('jwtSecret', 'with EVENKEEL_AUTH=jwt set it, or EVENKEEL_JWKS_URL, or EVENKEEL_JWT_PUBLIC_KEY');
    for (const path of others)
      refuse(path, `${keyVariables[first ?? path]} is set too; unset one of the two`);
  });

/** By what a token is checked: one of them. */
const keyVariables = {
  jwtSecret: 'EVENKEEL_JWT_SECRET',
  jwksUrl: 'EVENKEEL_JWKS_URL',
  jwtPublicKey: 'EVENKEEL_JWT_PUBLIC_KEY',
} as const;

function isPem(text: string): boolean {
  try {
    return keysOfPem(text).length > 0;
  } catch {
    return false;
  }
}

export type GatewayConfig = z.infer<typeof gatewayConfig>;
