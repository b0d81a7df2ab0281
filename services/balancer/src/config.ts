import { isNodeUrlPattern } from '@evenkeel/cluster';
import { isNodeName, loads, strategies } from '@evenkeel/protocol';
import {
  amqpSettings,
  commonSettings,
  hostId,
  type ParsedSetting,
  parseSetting,
  setting,
} from '@evenkeel/runtime';
import { z } from 'zod';
import type { LiveName, LiveSetting, Setter } from './core/live-settings.js';
import { isWindow } from './core/plan/maintenance.js';
import { policyDefaults } from './core/plan/policy.js';
import { paceDefaults } from './core/run/node-rate.js';

const { limitMs, ms } = setting;
/** Slower than one in a hundred seconds is no pace. */
const perSecond = () => z.number().min(0.01).max(100_000);

/** Every setting of a balancer: `amqpUrl` is read from `EVENKEEL_AMQP_URL`, and so on. */
export const balancerConfig = z.object({
  ...amqpSettings,
  ...commonSettings,
  id: z
    .string()
    .refine(isNodeName)
    .meta({ takes: '1 to 64 of A-Z a-z 0-9 _ -' })
    .default(`${hostId(50)}-${process.pid}`)
    .describe('name of this balancer, shown as the leader'),
  operators: z
    .array(z.string().min(1))
    .default(['operator', 'console'])
    .describe(
      "broker users whose commands by the default exchange may change something, beside this balancer's own; " +
        'anonymous: commands without a user_id too, by any way',
    ),
  nodeUrlPattern: z
    .array(z.string().refine(isNodeUrlPattern).meta({ takes: 'a URL such as wss://*.example.com' }))
    .optional()
    .describe('where nodes may be; one that reports another URL is ignored. Unset: any ws:// or wss:// URL'),
  mode: z.enum(['auto', 'manual']).default('auto').describe('manual: rebalances only when an operator asks'),
  strategy: z
    .enum(strategies)
    .default('least-loaded')
    .describe('how sessions are spread; gateways follow it'),
  load: z.enum(loads).default('connections').describe('what is balanced'),
  maintenanceWindows: z
    .array(z.string().refine(isWindow).meta({ takes: 'HH:MM-HH:MM in UTC' }))
    .default([])
    .describe('daily times without automatic rebalancing; drains go on'),
  relativeThreshold: z
    .number()
    .min(0)
    .max(1)
    .default(policyDefaults.relativeThreshold)
    .describe('part of its share by which a node may be off before a rebalance'),
  absoluteThreshold: z
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(policyDefaults.absoluteThreshold)
    .describe('sessions by which a node may be off before a rebalance'),
  quietMs: ms().default(policyDefaults.quietMs).describe('pause between two automatic plans'),
  deployHoldMs: ms()
    .default(policyDefaults.deployHoldMs)
    .describe(
      'with mixed versions, automatic rebalancing waits this long after the last change of the cluster',
    ),
  moveDeadlineMs: ms()
    .max(600_000)
    .default(10_000)
    .describe('time after which an unfinished move has failed'),
  startPerSecond: perSecond()
    .default(paceDefaults.startPerSecond)
    .describe('moves a second that a plan starts with, a node'),
  maxPerSecond: perSecond().default(paceDefaults.maxPerSecond).describe('moves a second at most, a node'),
  handshakeP99Ms: limitMs()
    .default(paceDefaults.handshakeP99Ms)
    .describe('handshake p99 above which moves slow down'),
  loopLagP99Ms: limitMs()
    .default(paceDefaults.loopLagP99Ms)
    .describe('event loop lag p99 above which moves slow down'),
});
export type BalancerConfig = z.infer<typeof balancerConfig>;

/** Those that operators can set while it runs. */
const live = balancerConfig.pick({
  mode: true,
  maintenanceWindows: true,
  relativeThreshold: true,
  absoluteThreshold: true,
  quietMs: true,
  deployHoldMs: true,
  moveDeadlineMs: true,
  startPerSecond: true,
  maxPerSecond: true,
  handshakeP99Ms: true,
  loopLagP99Ms: true,
}).shape satisfies Record<LiveName, z.ZodType>;

/** What can be set while a balancer runs, by name. */
export const liveFields: Readonly<Record<LiveName, z.ZodType>> = live;
/** Whether one is called so. */
export const isLiveName = (name: string): name is LiveName => Object.hasOwn(live, name);

/** The setting that `given` makes, by the rules of the environment; else what it takes. */
export function liveSetting(name: LiveName, given: unknown, { by, at }: Setter): ParsedSetting<LiveSetting> {
  const parsed = parseSetting(liveFields[name], given);
  if ('takes' in parsed) return parsed;
  // Its own schema has just said that the value is one of this name.
  return { value: { name, value: parsed.value, by, at } as LiveSetting };
}
