import { isRunning, type Mesh, type PrivateBroker } from '@evenkeel/local';
import type { Fleet } from '../fleet/fleet.js';
import { type ClientFault, clientFaults } from '../fleet/messages.js';
import type { MeshFault } from './mesh-fault.js';
import type { Fault } from './options.js';
import { killInPlan } from './plan-fault.js';

/** Gaps that a fault explains, by what they are of. */
export interface AllowedGaps {
  readonly events: readonly string[];
  readonly topics: readonly string[];
}

/** What is published to a topic while a subscriber has no socket does not wait for it; directed events do. */
export const allowedGaps: Readonly<Record<Fault, AllowedGaps>> = {
  none: { events: [], topics: [] },
  'kill-source': { events: [], topics: ['connection-lost'] },
  'kill-target': { events: [], topics: ['connection-lost'] },
  'freeze-source': { events: [], topics: [] },
  'drop-old-socket': { events: [], topics: ['connection-lost'] },
  'slow-client': { events: [], topics: ['slow-consumer'] },
  'replay-ticket': { events: [], topics: [] },
  // A session that leaves meanwhile is told connection-lost: what its edge still had to send cannot be shown to be sent.
  'broker-connection-drop': { events: [], topics: ['broker-lost', 'connection-lost'] },
  'balancer-killed': { events: [], topics: [] },
};

export const isClientFault = (fault: Fault): fault is ClientFault =>
  clientFaults.some((name) => name === fault);

/** What shows that the clients did it. @throws Error that says that they did not. */
export function evidenceOf(fault: ClientFault, disturbances: Readonly<Record<string, number>>): string {
  const wanted = {
    'drop-old-socket': ['old sockets dropped'],
    'slow-client': ['sockets paused', 'slow handlers'],
    'replay-ticket': ['replays refused'],
  }[fault];
  const seen = wanted.map((name) => `${disturbances[name] ?? 0} ${name}`);
  if (wanted.some((name) => !disturbances[name])) throw new Error(seen.join(', '));
  return seen.join(', ');
}

const nothing = async (): Promise<void> => {};

export function meshFault(
  fault: Fault,
  mesh: Mesh,
  broker: PrivateBroker,
  fleet: Fleet,
): MeshFault | undefined {
  const victim = mesh.edges[0];
  if (!victim) throw new Error('there is no edge');
  let killed = '';
  const kill = {
    strike: async () => {
      const { pid } = victim;
      if (pid === null) throw new Error(`${victim.node} does not run`);
      await victim.kill();
      if (isRunning(pid)) throw new Error(`process ${pid} of ${victim.node} lives on after SIGKILL`);
      killed = `process ${pid} of ${victim.node} ended by SIGKILL`;
    },
    lastsMs: 3_000,
    mend: () => victim.start(),
    evidence: async () => {
      const { disconnects } = await fleet.stats();
      if (killed === '' || disconnects === 0) throw new Error(`${killed}, but no client lost its connection`);
      return `${killed}, ${disconnects} connections lost`;
    },
  };
  switch (fault) {
    case 'kill-source':
      return { from: victim.node, ...kill };
    case 'kill-target':
      return { to: victim.node, ...kill };
    case 'freeze-source': {
      let isSilent = false;
      return {
        from: victim.node,
        strike: async () => {
          victim.pause();
          isSilent = !(await answers(victim.opsUrl));
        },
        lastsMs: 4_000,
        mend: async () => victim.resume(),
        evidence: async () => {
          if (!isSilent) throw new Error(`${victim.node} answered while it was stopped`);
          return `${victim.node} was stopped for 5 s and answered nobody`;
        },
      };
    }
    case 'broker-connection-drop': {
      let closed: string[] = [];
      return {
        strike: async () => {
          closed = await connectionsOf(broker, victim.node);
          await Promise.all(closed.map((pid) => broker.ctl(['close_connection', pid, 'bench'])));
        },
        lastsMs: 0,
        mend: nothing,
        evidence: async () => {
          const now = await connectionsOf(broker, victim.node);
          if (closed.length === 0) throw new Error(`RabbitMQ knew no connection of ${victim.node}`);
          if (closed.some((pid) => now.includes(pid)))
            throw new Error('RabbitMQ did not close the connections');
          return `RabbitMQ closed ${closed.length} connections of ${victim.node}, which has ${now.length} new ones`;
        },
      };
    }
    case 'balancer-killed':
      return killInPlan(mesh, broker.urlFor('operator'));
    default:
      return undefined;
  }
}

async function answers(opsUrl: string): Promise<boolean> {
  try {
    await fetch(`${opsUrl}/healthz`, { signal: AbortSignal.timeout(1_000) });
    return true;
  } catch {
    return false;
  }
}

/** The broker's names for the connections of one edge. */
async function connectionsOf(broker: PrivateBroker, node: string): Promise<string[]> {
  const listed = await broker.ctl(['list_connections', 'pid', 'client_properties']);
  return listed
    .split('\n')
    .filter((line) => line.includes(`"edge ${node}`))
    .map((line) => line.split('\t')[0] ?? '');
}
