import type { Mesh } from '@evenkeel/mesh';
import type { EdgeConfig } from '../config.js';
import type { EdgeNode } from '../node.js';
import { Drops, type DropsOptions } from './drops.js';
import { Generations } from './generations.js';
import { LeftSeals, type Outgoing } from './left-seals.js';
import { Planting, type PlantingOptions } from './planting.js';
import { Rehoming, type RehomingOptions } from './rehoming.js';
import { SessionQueues, type SessionQueuesOptions } from './session-queue.js';

/** A session's queue is consumed again after a loss of the broker once drops are heard of, or after this, ms. */
const hearingMs = 3_000;

export interface QueuePartsOptions
  extends PlantingOptions,
    Pick<RehomingOptions, 'directory' | 'log'>,
    Pick<SessionQueuesOptions, 'bindings' | 'whenAskable'> {
  readonly config: EdgeConfig;
  readonly mesh: Mesh;
  readonly node: Pick<EdgeNode, 'name' | 'boot'>;
  readonly topology: ReturnType<Mesh['consuming']['topology']>;
  readonly outgoing: Outgoing;
  onDropped: DropsOptions['onDropped'];
}

/** Sessions' queues, what is dropped from them, and their seals. */
export function queuePartsOf(options: QueuePartsOptions) {
  const { config, mesh, topology, outgoing, onDropped, now } = options;
  const { consuming, publisher } = mesh;
  const node = options.node.name;
  const drops = new Drops({
    mesh,
    node,
    boot: options.node.boot,
    onDropped: (key, why, generation) => {
      leftSeals.dropped(key, generation);
      onDropped(key, why, generation);
    },
    now,
  });
  const planting = new Planting(options);
  const leftSeals = new LeftSeals({ node, outgoing, planting, drops });
  const generations = new Generations({ ...config, topology });
  // The seal, which is held, is one more.
  const consumers = consuming.consumers({ channels: 64, prefetch: config.window + 1 });
  const queueOptions: SessionQueuesOptions = {
    topology,
    brokerNow: () => consuming.address,
    generations,
    consumers,
    publisher,
    planting,
    leftSeals,
    node,
    bindings: options.bindings,
    whenAskable: options.whenAskable,
    whenHeard: () => drops.whenHeard(hearingMs),
    lifetimeMs: config.sessionLifetimeMs,
    maxLength: config.sessionMaxLength,
  };
  return {
    drops,
    leftSeals,
    generations,
    queues: new SessionQueues(queueOptions),
    rehoming: new Rehoming(options),
  };
}
