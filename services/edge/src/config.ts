import { hostname } from 'node:os';
import { defaults, nodeName } from '@evenkeel/protocol';
import { z } from 'zod';

const ms = () => z.coerce.number().int().positive();
const limit = () => z.coerce.number().int().positive();

/** Every setting of an edge: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const edgeConfig = z.object({
  amqpUrl: z
    .string()
    .default('amqp://guest:guest@127.0.0.1:5672')
    .describe('RabbitMQ, with user and password')
    .meta({ secret: true }),
  secret: z
    .string()
    .min(16)
    .describe('ticket secret shared with the gateways; several separated by commas while changing it')
    .meta({ secret: true }),
  node: nodeName
    .default(
      hostname()
        .replace(/[^A-Za-z0-9_-]/g, '-')
        .slice(0, 64),
    )
    .describe('name of this node, unique in the mesh'),
  host: z.string().default('0.0.0.0').describe('address to listen on'),
  port: z.coerce.number().int().min(0).max(65_535).default(8101).describe('WebSocket port; 0: any free one'),
  publicUrl: z
    .string()
    .optional()
    .describe(
      'URL clients dial, without a query; {port} and {node} are filled in. Default ws://127.0.0.1:{port}/ws',
    ),
  opsPort: z.coerce.number().int().min(0).max(65_535).default(0).describe('health and metrics port'),
  opsHost: z.string().default('127.0.0.1').describe('address of the health and metrics server'),
  version: z.string().max(64).default('0').describe('what is deployed here, for rolling deploys'),
  weight: z.coerce.number().positive().default(1).describe('share of the load relative to other nodes'),
  capacity: limit().default(16_000).describe('most connections taken; beyond it upgrades are answered 503'),
  logLevel: z.string().default('info').describe('pino level'),

  window: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(defaults.window)
    .describe('events ahead of ack, a session'),
  heartbeatMs: ms().default(defaults.heartbeatMs).describe('silence after which a client pings'),
  helloTimeoutMs: ms().default(defaults.helloTimeoutMs).describe('time to the first frame'),
  ackTimeoutMs: ms()
    .max(600_000)
    .default(defaults.ackTimeoutMs)
    .describe('longest an event stays unacknowledged'),
  slowConsumerMs: ms()
    .default(defaults.slowConsumerMs)
    .describe('longest a socket stays over the high watermark'),
  maxPayloadBytes: limit()
    .max(1_048_576)
    .default(defaults.maxPayloadBytes)
    .describe('largest frame from a client'),
  highWatermarkBytes: limit()
    .default(262_144)
    .describe('buffered bytes above which a socket gets no more events'),
  maxBufferedBytes: limit()
    .default(1_048_576)
    .describe('buffered bytes above which topic messages are dropped'),
  maxTopics: limit().default(defaults.maxTopicsPerConnection).describe('topics a connection'),
  framesPerSecond: limit()
    .default(100)
    .describe('publishes, requests and subscriptions a second, a connection'),
  framesBurst: limit().default(400).describe('the same, in one burst'),
  requestTimeoutMs: ms().default(defaults.requestTimeoutMs).describe('longest wait for a reply'),

  sessionLifetimeMs: ms().default(defaults.sessionLifetimeMs).describe('life of a session without a socket'),
  sessionMaxLength: limit().default(defaults.sessionMaxLength).describe('events waiting for a session'),

  movesPerSecond: z.coerce
    .number()
    .positive()
    .default(200)
    .describe('pace of a reconnect command that names none'),
  moveDeadlineMs: ms()
    .default(defaults.moveDeadlineMs)
    .describe('when a move that nobody finishes has failed'),
  settleTimeoutMs: ms().default(2_000).describe('longest wait for the last ack on the old socket'),
  takeoverRetryMs: ms().default(1_000).describe('a takeover is asked for again after this'),
  takeoverTimeoutMs: ms().default(30_000).describe('a takeover is given up after this'),
  drainTimeoutMs: ms().default(25_000).describe('longest that SIGTERM waits for sessions to be moved'),
  drainPatienceMs: ms()
    .default(5_000)
    .describe('a drain that gets no command for this long closes the sockets itself'),
});
export type EdgeConfig = z.infer<typeof edgeConfig>;
