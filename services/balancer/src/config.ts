import { hostname } from 'node:os';
import { loads, strategies } from '@evenkeel/protocol';
import { z } from 'zod';
import { isWindow } from './core/plan/maintenance.js';
import { policyDefaults } from './core/plan/policy.js';
import { paceDefaults } from './core/run/node-rate.js';

const port = () => z.coerce.number().int().min(0).max(65_535);
const ms = () => z.coerce.number().int().positive();

/** Every setting of a balancer: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const balancerConfig = z.object({
  amqpUrl: z
    .string()
    .default('amqp://guest:guest@127.0.0.1:5672')
    .describe('RabbitMQ, with user and password')
    .meta({ secret: true }),
  id: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'use 1 to 64 of A-Z a-z 0-9 _ -')
    .default(
      `${hostname()
        .replace(/[^A-Za-z0-9_-]/g, '-')
        .slice(0, 50)}-${process.pid}`,
    )
    .describe('name of this balancer, shown as the leader'),
  opsPort: port().default(0).describe('health and metrics port; 0: any free one'),
  opsHost: z.string().default('127.0.0.1').describe('address of the health and metrics server'),
  logLevel: z.string().default('info').describe('pino level'),
  mode: z
    .enum(['auto', 'manual'])
    .default('auto')
    .describe('manual: nothing is levelled unless an operator asks'),
  strategy: z
    .enum(strategies)
    .default('least-loaded')
    .describe('how sessions are spread; gateways must be told the same'),
  load: z.enum(loads).default('connections').describe('what is levelled: connections, events, bytes or cpu'),
  maintenanceWindows: z
    .array(z.string().refine(isWindow, 'write each as HH:MM-HH:MM, in UTC'))
    .default([])
    .describe('daily times in UTC (HH:MM-HH:MM) in which nothing is levelled by itself; drains go on'),
  relativeThreshold: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(policyDefaults.relativeThreshold)
    .describe('part of its share that a node may be off before it is levelled'),
  absoluteThreshold: z.coerce
    .number()
    .int()
    .min(0)
    .default(policyDefaults.absoluteThreshold)
    .describe('sessions that a node may be off before it is levelled'),
  quietMs: ms().default(policyDefaults.quietMs).describe('pause between two plans made by itself'),
  deployHoldMs: ms()
    .default(policyDefaults.deployHoldMs)
    .describe('with mixed versions, levelling waits this long after the last change of the cluster'),
  moveDeadlineMs: ms()
    .max(600_000)
    .default(10_000)
    .describe('a move not finished after this long has failed'),
  startPerSecond: z.coerce
    .number()
    .positive()
    .default(paceDefaults.startPerSecond)
    .describe('moves a second that a plan starts with, a node'),
  maxPerSecond: z.coerce
    .number()
    .positive()
    .max(100_000)
    .default(paceDefaults.maxPerSecond)
    .describe('moves a second at most, a node'),
  handshakeP99Ms: z.coerce
    .number()
    .positive()
    .default(paceDefaults.handshakeP99Ms)
    .describe('handshake p99 above which moves slow down'),
  loopLagP99Ms: z.coerce
    .number()
    .positive()
    .default(paceDefaults.loopLagP99Ms)
    .describe('event loop lag p99 above which moves slow down'),
});
export type BalancerConfig = z.infer<typeof balancerConfig>;
