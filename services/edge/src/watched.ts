import type { Mesh } from '@evenkeel/mesh';
import { amqpMetrics, type Ops } from '@evenkeel/runtime';
import type { Commands } from './control/commands.js';
import type { NodeName } from './control/node-name.js';
import { type EdgeSources, edgeMetrics } from './metrics.js';
import type { EdgeNode } from './node.js';
import type { Drops } from './queue/drops.js';
import type { Reporter } from './stats/reporter.js';
import type { TopicHub } from './topic/hub.js';

/** What is looked at of an edge from outside. */
interface Watched extends Omit<EdgeSources, 'stats'> {
  readonly mesh: Pick<Mesh, 'readiness' | 'figures' | 'alarm'>;
  readonly name: Pick<NodeName, 'note'>;
  readonly node: EdgeNode;
  readonly topics: EdgeSources['topics'] & Pick<TopicHub, 'readiness'>;
  readonly history: EdgeSources['history'] & { readiness(): true | string };
  readonly presence: EdgeSources['presence'] & { readiness(): true | string };
  readonly drops: Pick<Drops, 'readiness'>;
  readonly commands: Pick<Commands, 'readiness'>;
  readonly denials: EdgeSources['denials'] & { readiness(): true | string; lag(): string | undefined };
  readonly reporter: Pick<Reporter, 'stats'>;
}

/** What an alarm of RabbitMQ means here. */
const inAlarm =
  'what clients send is answered broker-unavailable, statistics and moves wait; sockets stay, and queues are delivered';

/** Has the ops server tell what is to be known of this edge: `/metrics`, `/readyz`, `/status`. */
export function watched(ops: Ops, parts: Watched): void {
  const { mesh, topics, history, drops, commands, denials, node, reporter } = parts;
  edgeMetrics(ops.metrics, { ...parts, stats: () => reporter.stats });
  amqpMetrics(ops.metrics, () => mesh.figures());
  ops.readiness('broker', () => mesh.readiness());
  ops.readiness('topics', () => topics.readiness());
  ops.readiness('histories', () => history.readiness());
  ops.readiness('drops', () => drops.readiness());
  ops.readiness('commands', () => commands.readiness());
  ops.readiness('denials', () => denials.readiness());
  // Sockets stay, and queues are delivered: no reason to send clients elsewhere, where it is the same.
  ops.note('alarm', () => mesh.alarm(inAlarm));
  // Whoever was cut off may find its own last connection still there: no reason to turn clients away.
  ops.note('name', () => parts.name.note());
  ops.note('denials', () => denials.lag());
  // Whoever is here stays: no reason for what is in front to cut them off.
  ops.note('memory', () => parts.memory.note());
  ops.note('presence', () => {
    const readiness = parts.presence.readiness();
    return readiness === true ? undefined : readiness;
  });
  ops.readiness('accepting', () => !node.isDraining || 'draining');
  ops.status(() => ({
    boot: node.boot,
    url: node.url,
    state: node.state,
    cordonedBy: node.cordonedBy,
    ...reporter.stats,
  }));
}
