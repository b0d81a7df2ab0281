import { hostname } from 'node:os';
import { areBrokerAddresses, maxTimerMs } from '@evenkeel/pace';
import { z } from 'zod';
import { logFormats, logLevels } from './log.js';
import { isOriginOrAny } from './origins.js';

/** Kinds of settings that several services share, each with its bounds, for the `z.object` of a service's `config.ts`. */
export const setting = {
  /** A port to listen on. */
  port: () => z.int().min(0).max(65_535),

  /** A time in whole milliseconds, as long as a timer can wait. */
  ms: () => z.int().min(1).max(maxTimerMs),

  /** A measured time that should not be exceeded, in milliseconds. */
  limitMs: () => z.number().positive().max(maxTimerMs),

  /** From 1 to `most` of something. */
  count: (most: number) => z.int().min(1).max(most),

  /** From 1 to `most` bytes. */
  bytes: (most: number) => z.int().min(1).max(most),

  /** A URL of one of these protocols, written as in `['ws:', 'wss:']`. */
  url: (...protocols: readonly string[]) =>
    z
      .string()
      .refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol))
      .meta({ takes: `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}` }),

  /** How many proxies `clientAddress` trusts. */
  trustedHops: () => z.int().min(0).max(10).default(0),

  /** Which pages may connect: for `Origins`. */
  origins: () =>
    z
      .array(
        z.string().refine(isOriginOrAny).meta({ takes: '* or an origin such as https://app.example.com' }),
      )
      .optional(),

  /** Whether limits per address hold for this machine's own addresses too. */
  limitLoopback: () =>
    z
      .boolean()
      .default(false)
      .describe('limit 127.0.0.0/8 and ::1 as any other address; false: development and load tests go on'),

  /** Addresses of brokers: one, or several separated by commas. */
  brokers: () =>
    z
      .string()
      .refine(areBrokerAddresses)
      .meta({ takes: 'one or more amqp:// or amqps:// URLs, separated by commas' }),

  /** RabbitMQ's addresses, which hold a password. */
  amqpUrl: () =>
    setting
      .brokers()
      .default('amqp://guest:guest@127.0.0.1:5672')
      .describe('RabbitMQ, with user and password; of several addresses the next is tried when one fails')
      .meta({ secret: true }),

  /** One secret, or several while it is being changed: the first signs, all count. */
  secrets: (minChars: number) => z.array(z.string().min(minChars)).min(1).meta({ secret: true }),
};

/** How a service reaches RabbitMQ, for its `z.object`; {@link amqpTlsOf} reads what is about TLS. */
export const amqpSettings = {
  amqpUrl: setting.amqpUrl(),
  amqpCaFile: z
    .string()
    .optional()
    .describe("authorities that RabbitMQ's certificate may be of, PEM; unset: those that Node trusts"),
  amqpCertFile: z.string().optional().describe('client certificate for RabbitMQ, PEM'),
  amqpKeyFile: z
    .string()
    .optional()
    .describe('private key of the client certificate, PEM without a passphrase'),
  amqpServerName: z
    .string()
    .optional()
    .describe("name that RabbitMQ's certificate must be for; unset: the host of the address"),
  amqpExternal: z
    .boolean()
    .default(false)
    .describe('log in by the client certificate (EXTERNAL); the address names its user, without a password'),
};

type Given<T> = { [Key in keyof T]?: T[Key] | undefined };

/** What {@link amqpSettings} say of TLS; undefined: nothing. */
export function amqpTlsOf(
  config: Given<{
    amqpCaFile: string;
    amqpCertFile: string;
    amqpKeyFile: string;
    amqpServerName: string;
    amqpExternal: boolean;
  }>,
) {
  const { amqpCaFile: caFile, amqpCertFile: certFile, amqpKeyFile: keyFile } = config;
  const { amqpServerName: serverName, amqpExternal: isExternal = false } = config;
  const tls = {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
    ...(serverName !== undefined && { serverName }),
    ...(isExternal && { isExternal }),
  };
  return Object.keys(tls).length === 0 ? undefined : tls;
}

/** The certificate of a service that clients reach, for its `z.object`; {@link refineTls} checks the two together. */
export const tlsSettings = {
  tlsCertFile: z
    .string()
    .optional()
    .describe(
      'certificate with its intermediates, PEM; with it clients are served by TLS. Read again when it changes',
    ),
  tlsKeyFile: z.string().optional().describe('private key of that certificate, PEM without a passphrase'),
};

/** For `superRefine`: one of {@link tlsSettings} alone is a mistake. */
export function refineTls(
  { tlsCertFile, tlsKeyFile }: { tlsCertFile?: string | undefined; tlsKeyFile?: string | undefined },
  context: z.RefinementCtx,
): void {
  const missing = tlsCertFile === undefined ? 'tlsCertFile' : 'tlsKeyFile';
  if ((tlsCertFile === undefined) === (tlsKeyFile === undefined)) return;
  const [given, other] = ['EVENKEEL_TLS_CERT_FILE', 'EVENKEEL_TLS_KEY_FILE'];
  const message = `set it too: ${missing === 'tlsCertFile' ? other : given} alone is of no use`;
  context.addIssue({ code: 'custom', path: [missing], message });
}

/** An address to listen on as Node takes it: one of IPv6 may be written in brackets, as in a URL. */
export const bareHost = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

/** The settings of every service, which `runService` itself goes by. */
export const commonSettings = {
  opsPort: setting.port().default(0).describe('health and metrics port; 0: any free one'),
  opsHost: z.string().default('127.0.0.1').describe('address of the health and metrics server'),
  opsToken: z
    .string()
    .regex(/^\S{16,}$/)
    .meta({ takes: 'text of at least 16 characters without spaces', secret: true })
    .optional()
    .describe(
      'what a reader of /metrics and /status shows (Authorization: Bearer) where EVENKEEL_OPS_HOST is not loopback; unset: none may read there',
    ),
  opsHosts: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9._-]+$/)
        .meta({ takes: 'a name without a port' }),
    )
    .optional()
    .describe(
      'names that readers may call the health and metrics server by, beside localhost, the host name and addresses',
    ),
  logLevel: z.enum(logLevels).default('info').describe('the least level that is logged'),
  logFormat: z
    .enum(logFormats)
    .default('json')
    .describe('json: an object a line; pretty: for reading by eye'),
};

/** The host's name as far as it fits into names on the broker. */
export function hostId(maxChars: number): string {
  return hostname()
    .replace(/[^A-Za-z0-9_-]/g, '-')
    .slice(0, maxChars);
}
