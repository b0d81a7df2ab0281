import { randomUUID } from 'node:crypto';
import { Mesh } from '@evenkeel/mesh';
import { sleep } from '@evenkeel/pace';
import { edgeKey, exchanges, moveReport, nodeStats } from '@evenkeel/protocol';
import type { Log, ServiceContext } from '@evenkeel/runtime';
import type { BalancerConfig } from './config.js';
import { Balancer, type Command } from './core/balancer.js';
import { inMaintenance } from './core/plan/maintenance.js';
import { LeaderLock } from './leader/lock.js';
import { carryOut } from './manage/commands.js';
import { EdgeAsker } from './manage/edge-asker.js';
import { ManageServer } from './manage/server.js';
import { balancerMetrics } from './metrics.js';
import { PlanStore } from './store/plan-store.js';

const TICK_MS = 100;
const STATS_QUEUE_LENGTH = 10_000;

/** A command that moves sessions waits this long for a balancer that has just begun to lead; then it is `not-ready`. */
const WARM_UP_WAIT_MS = 4_000;

async function warmedUp(balancer: Balancer): Promise<void> {
  const endsAtMs = Date.now() + WARM_UP_WAIT_MS;
  while (!balancer.isWarm(Date.now()) && Date.now() < endsAtMs) await sleep(TICK_MS);
}

/** Builds a balancer and says in which order its parts start and stop. */
export function build(config: BalancerConfig, { lifecycle, log, signal, ops }: ServiceContext): void {
  const mesh = new Mesh({ url: config.amqpUrl, name: `balancer ${config.id}`, log, publishTimeoutMs: 5000 });
  const { consuming, publisher } = mesh;
  const store = new PlanStore(consuming, publisher, log);
  const toEdge = (node: string, command: Command) =>
    publisher.publish(exchanges.control, edgeKey(node), JSON.stringify(command), {
      contentType: 'application/json',
      mandatory: true,
      expiration: 30_000,
    });
  const balancer = new Balancer(
    {
      send: (node, command, onUnrouted) => {
        toEdge(node, command).then(
          (outcome) => {
            if (outcome === 'unrouted') onUnrouted();
          },
          (error: unknown) => log.warn({ err: error, node, command: command.command }, 'command not sent'),
        );
      },
      save: (state) => store.save(state),
      log: (event, fields) => log.info(fields, event),
      newPlanId: () => randomUUID().slice(0, 13),
    },
    {
      mode: config.mode,
      strategy: config.strategy,
      load: config.load,
      moveDeadlineMs: config.moveDeadlineMs,
      isMaintenance: (nowMs) => inMaintenance(config.maintenanceWindows, nowMs),
      policy: {
        relativeThreshold: config.relativeThreshold,
        absoluteThreshold: config.absoluteThreshold,
        quietMs: config.quietMs,
        deployHoldMs: config.deployHoldMs,
      },
      pace: {
        startPerSecond: config.startPerSecond,
        maxPerSecond: config.maxPerSecond,
        handshakeP99Ms: config.handshakeP99Ms,
        loopLagP99Ms: config.loopLagP99Ms,
      },
    },
  );
  const metrics = balancerMetrics(ops.metrics, balancer);

  const asker = new EdgeAsker(consuming, publisher, config.id, log);
  let leadingSince = 0;
  const manage = new ManageServer({
    broker: consuming,
    publisher,
    log,
    metrics,
    carryOut: async (command, user) => {
      if (command.command === 'rebalance' || command.command === 'drain') await warmedUp(balancer);
      return await carryOut(command, {
        balancer,
        leader: { id: config.id, since: leadingSince },
        nowMs: Date.now(),
        user,
        sendToEdge: (node, edgeCommand) => toEdge(node, edgeCommand),
        askEdges: (kind, who) => asker.ask(kind, who, balancer.view.nodes(Date.now())),
      });
    },
  });
  // One change of leadership after the other, each to its end.
  let term = Promise.resolve();
  const lock = new LeaderLock({
    url: config.amqpUrl,
    id: config.id,
    log,
    onLeading: () => {
      term = term.then(async () => {
        for (let attempt = 0; lock.isLeading && attempt < 100; attempt++) {
          try {
            leadingSince = Date.now();
            const saved = await store.load();
            if (!lock.isLeading) return;
            balancer.lead(saved, Date.now());
            await manage.start();
            return;
          } catch (error) {
            log.error({ err: error }, 'taking over failed, trying again');
            await sleep(500);
          }
        }
      });
    },
    onFollowing: () => {
      balancer.follow();
      term = term
        .then(() => manage.stop())
        .catch((error: unknown) => log.error({ err: error }, 'stepping down failed'));
    },
  });
  let ticking: NodeJS.Timeout | undefined;

  ops.readiness('broker', () => mesh.readiness());
  ops.status(() => ({
    id: config.id,
    isLeading: balancer.isLeading,
    why: balancer.why,
    nodes: balancer.view.size,
  }));

  lifecycle
    .add('broker', { start: () => mesh.start(signal), stop: () => mesh.stop() })
    .add('plan store', { start: () => store.declare() })
    .add('statistics', {
      start: async () => {
        const statsQueue = `balancer.${config.id}.${randomUUID().slice(0, 8)}`;
        await consuming.declare({
          queues: [
            {
              name: statsQueue,
              durable: false,
              exclusive: true,
              arguments: { 'x-max-length': STATS_QUEUE_LENGTH, 'x-overflow': 'drop-head' },
            },
          ],
          bindings: [
            { queue: statsQueue, exchange: exchanges.stats, key: 'stats.*' },
            { queue: statsQueue, exchange: exchanges.stats, key: 'moves.*' },
          ],
        });
        await consuming.consumers({ channels: 1, prefetch: 1000 }).consume(statsQueue, {
          onDelivery: (d) => {
            d.ack();
            observe(balancer, d.key, d.body, log);
          },
        });
      },
    })
    .add('replies', { start: () => asker.start() })
    .add('management', { start: () => manage.declare() })
    .add('ticks', {
      start: () => {
        ticking = setInterval(() => {
          try {
            balancer.tick(Date.now());
          } catch (error) {
            log.error({ err: error }, 'tick failed');
          }
        }, TICK_MS);
      },
      stop: () => clearInterval(ticking),
    })
    // Last: who leads needs all of them.
    .add('leader lock', {
      start: () => lock.start(signal),
      stop: async () => {
        await lock.stop();
        await term;
      },
    });
}

function observe(balancer: Balancer, key: string, body: Buffer, log: Log): void {
  try {
    const raw: unknown = JSON.parse(body.toString('utf8'));
    if (key.startsWith('stats.')) balancer.observe(nodeStats.parse(raw), Date.now());
    else balancer.report(moveReport.parse(raw), Date.now());
  } catch (error) {
    log.debug({ key, err: error }, 'report unreadable');
  }
}
