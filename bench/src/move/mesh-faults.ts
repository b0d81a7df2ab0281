import type { Mesh, PrivateBroker } from '@evenkeel/local';
import type { Fault } from './options.js';

/** How the moves are directed around a fault, and the fault itself. */
export interface MeshFault {
  /** Only moves that leave, or reach, the node the fault will strike, from one second before. */
  from?: string;
  to?: string;
  strike(): Promise<void>;
  /** Puts right what was broken. */
  mend(): Promise<void>;
  /** How long the fault lasts, ms. */
  lastsMs: number;
}

const nothing = async (): Promise<void> => {};

export function meshFault(fault: Fault, mesh: Mesh, broker: PrivateBroker): MeshFault | undefined {
  const victim = mesh.edges[0];
  if (!victim) throw new Error('there is no edge');
  switch (fault) {
    case 'kill-source':
      return { from: victim.node, strike: () => victim.kill(), mend: () => victim.start(), lastsMs: 3_000 };
    case 'kill-target':
      return { to: victim.node, strike: () => victim.kill(), mend: () => victim.start(), lastsMs: 3_000 };
    case 'freeze-source':
      return {
        from: victim.node,
        strike: async () => victim.pause(),
        mend: async () => victim.resume(),
        lastsMs: 5_000,
      };
    case 'broker-connection-drop':
      return { strike: () => dropConnections(broker, victim.node), mend: nothing, lastsMs: 0 };
    case 'balancer-killed': {
      const balancer = mesh.balancers[0];
      return { strike: async () => balancer?.kill(), mend: async () => balancer?.start(), lastsMs: 3_000 };
    }
    default:
      return undefined;
  }
}

/** Closes both connections of one edge from the broker's side. */
async function dropConnections(broker: PrivateBroker, node: string): Promise<void> {
  const listed = await broker.ctl(['list_connections', 'pid', 'client_properties']);
  const pids = listed
    .split('\n')
    .filter((line) => line.includes(`"edge ${node} `))
    .map((line) => line.split('\t')[0] ?? '');
  if (pids.length === 0) throw new Error(`no connection of ${node} found in: ${listed}`);
  await Promise.all(pids.map((pid) => broker.ctl(['close_connection', pid, 'bench'])));
}
