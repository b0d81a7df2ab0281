import { refineNamespaces } from '@evenkeel/access';
import { defaults, maxWeight, minWeight, nodeName } from '@evenkeel/protocol';
import {
  amqpSettings,
  bareHost,
  commonSettings,
  hostId,
  readText,
  refineTls,
  setting,
  tlsSettings,
  wrongSecret,
} from '@evenkeel/runtime';
import { minSecretBytes } from '@evenkeel/ticket';
import { z } from 'zod';
import { limitSettings } from './limits.js';

/** Of `reachabilityUrl`. */
const isNotChecked = 'off';

const { bytes, count, ms, port } = setting;

const settings = z.object({
  ...amqpSettings,
  ...commonSettings,
  secret: setting
    .secrets(minSecretBytes)
    .describe('ticket secret shared with the gateways; several separated by commas while changing it'),
  balancerUser: z
    .array(z.string().min(1))
    .optional()
    .describe(
      'broker users whose commands count, *: everybody; unset: balancer where this edge logs in as edge or edge-…, else everybody',
    ),
  node: nodeName
    .meta({ takes: '1 to 64 of A-Z a-z 0-9 _ -' })
    .default(hostId(64))
    .describe('name of this node, unique in the mesh'),
  nameWaitMs: ms()
    .default(90_000)
    .describe(
      'longest that a starting edge waits for another of its name to end; then it gives up, exit code 1',
    ),
  host: z.string().default('0.0.0.0').describe('address to listen on; :: for IPv6 and IPv4'),
  port: port().default(8101).describe('WebSocket port; 0: any free one'),
  ...tlsSettings,
  publicUrl: z
    .string()
    .refine(isPublicUrl)
    .meta({ takes: 'a ws:// or wss:// URL without a query; {port} and {node} are filled in' })
    .optional()
    .describe(
      'URL that clients dial; unset: ws://127.0.0.1:{port}/ws, with a certificate wss://, with an address to listen on that one',
    ),
  reachabilityUrl: z
    .string()
    .refine((text) => text === isNotChecked || isPublicUrl(text))
    .meta({ takes: 'off, or a URL as EVENKEEL_PUBLIC_URL takes it' })
    .optional()
    .describe(
      'what this edge dials until it meets itself, before it is active; unset: the public URL; off: it does not look',
    ),
  agentPort: port()
    .optional()
    .describe("port of HAProxy's agent-check, at EVENKEEL_HOST; 0: any free one; unset: none"),
  trustedHops: setting
    .trustedHops()
    .describe('proxies in front that may name the client: X-Forwarded-For, Forwarded or PROXY protocol v2'),
  auth: z
    .enum(['off', 'dev', 'jwt', 'hook'])
    .optional()
    .describe('as at the gateways: with jwt or hook a client without a pass gets its events and no more'),
  namespaces: z
    .string()
    .optional()
    .describe(
      'who may do what, by namespace: JSON, or the path of a file with it, which alone is read again on SIGHUP',
    )
    .meta({ secret: true, takes: 'JSON, or the path of a file with it' }),
  origins: setting
    .origins()
    .describe('origins of pages that may connect; others are answered 403. Unset or *: any page'),
  otel: z
    .boolean()
    .default(false)
    .describe('spans of OpenTelemetry for what is traced and sampled, to OTEL_EXPORTER_OTLP_ENDPOINT'),
  version: z.string().max(64).default('0').describe('the deployed version, for rolling deploys'),
  weight: z
    .number()
    .min(minWeight)
    .max(maxWeight)
    .default(1)
    .describe('share of the load relative to other nodes'),
  capacity: count(1_000_000)
    .default(16_000)
    .describe(
      'most connections accepted; above it upgrades are answered 503; lowered to what the open file limit leaves',
    ),
  memoryLimitBytes: bytes(1_099_511_627_776)
    .optional()
    .describe(
      'most memory of this process, beside what its cgroup and its heap may have; near any of them it takes no newcomers',
    ),
  ...limitSettings,

  window: count(65_535).default(defaults.window).describe('events ahead of ack, a session'),
  heartbeatMs: ms().default(defaults.heartbeatMs).describe('silence after which a client pings'),
  helloTimeoutMs: ms().default(defaults.helloTimeoutMs).describe('time to the first frame'),
  ackTimeoutMs: ms()
    .max(600_000)
    .default(defaults.ackTimeoutMs)
    .describe('longest that a client with unacknowledged events acknowledges none, nor says that it is busy'),
  slowConsumerMs: ms()
    .default(defaults.slowConsumerMs)
    .describe('longest a socket stays over the high watermark'),
  maxPayloadBytes: bytes(1_048_576).default(defaults.maxPayloadBytes).describe('largest frame from a client'),
  maxEventBytes: bytes(67_108_864)
    .default(defaults.maxEventBytes)
    .describe('longest frame of an event, a topic message or a reply; a longer one becomes a gap'),
  highWatermarkBytes: bytes(268_435_456)
    .default(262_144)
    .describe('buffered bytes above which a socket gets no more events'),
  maxBufferedBytes: bytes(268_435_456)
    .default(1_048_576)
    .describe('buffered bytes above which topic messages are dropped; at least the watermark and one event'),
  maxTopics: count(100_000).default(defaults.maxTopicsPerConnection).describe('topics a connection'),
  requestTimeoutMs: ms()
    .default(defaults.requestTimeoutMs)
    .describe('longest wait for a reply, and for each part of one'),
  maxStreams: count(1_000)
    .default(defaults.maxStreams)
    .describe('answers in parts open at a time, a session'),
  presenceGraceMs: ms()
    .max(60_000)
    .default(defaults.presenceGraceMs)
    .describe('how long a session that has lost its socket is still shown in its topics'),

  historyTailMessages: count(10_000_000)
    .default(100_000)
    .describe(
      'newest messages of a namespace with history that are kept in memory; older ones are read from RabbitMQ',
    ),
  historyTailBytes: bytes(17_179_869_184).default(67_108_864).describe('the same, their bytes'),
  historyStreamBytes: bytes(1_099_511_627_776)
    .default(1_073_741_824)
    .describe('bytes of a namespace with history on disk in RabbitMQ; counts where its stream is made'),

  sessionLifetimeMs: ms().default(defaults.sessionLifetimeMs).describe('life of a session without a socket'),
  sessionMaxLength: count(1_000_000)
    .default(defaults.sessionMaxLength)
    .describe('events waiting for a session'),

  movesPerSecond: z
    .number()
    .positive()
    .max(100_000)
    .default(200)
    .describe('pace of a reconnect command that sets none'),
  moveDeadlineMs: ms()
    .max(600_000)
    .default(defaults.moveDeadlineMs)
    .describe('time after which an unfinished move has failed, unless its command sets another'),
  settleTimeoutMs: ms().default(2_000).describe('longest wait for the last ack on the old socket'),
  takeoverRetryMs: ms().default(1_000).describe('time after which a takeover is requested again'),
  takeoverTimeoutMs: ms().default(30_000).describe('time after which a takeover is abandoned'),
  drainTimeoutMs: ms()
    .max(3_600_000)
    .default(25_000)
    .describe('longest that SIGTERM waits for sessions to be moved'),
  drainPatienceMs: ms()
    .default(5_000)
    .describe('a drain that gets no command for this long closes the sockets itself'),
});

/** Every setting of an edge: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const edgeConfig = settings
  .superRefine(refineTls)
  .superRefine(refineNamespaces(readText, wrongSecret));
export type EdgeConfig = z.infer<typeof edgeConfig>;

type Urls = Pick<EdgeConfig, 'publicUrl' | 'reachabilityUrl' | 'node' | 'host' | 'tlsCertFile'>;

/** The URL that clients dial, once the port is known. */
export function publicUrlOf({ publicUrl, node, host, tlsCertFile }: Urls, port: number): string {
  return filledIn(publicUrl ?? ownUrl(host, tlsCertFile !== undefined), node, port);
}

/** What the edge dials to see whether clients get here; undefined: nothing. */
export function reachabilityUrlOf(config: Urls, port: number): string | undefined {
  const { reachabilityUrl, node } = config;
  if (reachabilityUrl === undefined) return publicUrlOf(config, port);
  return reachabilityUrl === isNotChecked ? undefined : filledIn(reachabilityUrl, node, port);
}

function ownUrl(host: string, isSecure: boolean): string {
  const address = bareHost(host);
  const shown = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
  const authority = shown.includes(':') ? `[${shown}]` : shown;
  return `${isSecure ? 'wss' : 'ws'}://${authority}:{port}/ws`;
}

const filledIn = (url: string, node: string, port: number): string =>
  url.replaceAll('{port}', String(port)).replaceAll('{node}', node);

function isPublicUrl(publicUrl: string): boolean {
  const text = filledIn(publicUrl, 'node', 1);
  if (/[{}?#]/.test(text) || !URL.canParse(text)) return false;
  return ['ws:', 'wss:'].includes(new URL(text).protocol);
}
