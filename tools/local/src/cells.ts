import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appUser } from '@evenkeel/mesh/rights';
import { type BrokerInUse, type PrivateBrokerOptions, startPrivateBroker } from './broker/resolve.js';
import { watchOver } from './guard.js';
import { type Mesh, type MeshOptions, startMesh } from './mesh.js';
import { stateDir } from './paths.js';

/** A mesh and its broker: the only one, which has no name, or one of several cells. */
export interface RunningCell {
  readonly name: string | undefined;
  readonly broker: BrokerInUse;
  readonly mesh: Mesh;
}

export const cellNames = ['north', 'south', 'east', 'west', 'coast', 'hills', 'isles', 'moors'] as const;

/** Maps of the cells that run here: with the addresses of the gateway's user, and with those of an application's. */
export const cellMaps = {
  gateway: join(stateDir, 'cells.json'),
  app: join(stateDir, 'app-cells.json'),
} as const;

/**
 * Starts so many cells, each on a private broker with edges and a balancer of its own, and one gateway over all, which is the first cell's.
 * Whatever fails, nothing is left behind. `compiled`: what they run is.
 */
export async function startCells(
  count: number,
  brokerOptions: PrivateBrokerOptions,
  optionsOf: (n: number) => Omit<MeshOptions, 'amqpUrl'>,
  compiled: Promise<void>,
): Promise<[RunningCell, ...RunningCell[]]> {
  const names = cellNames.slice(0, count);
  const booted = await Promise.allSettled(names.map(() => startPrivateBroker(brokerOptions)));
  const brokers = booted.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const meshes: Mesh[] = [];
  try {
    for (const each of booted) if (each.status === 'rejected') throw each.reason;
    await compiled;
    const addressesFor = (user: string) => brokers.map(({ urlFor }) => urlFor(user));
    writeMap(cellMaps.gateway, names, addressesFor('gateway'));
    writeMap(cellMaps.app, names, addressesFor(appUser('shop')));
    const starts = brokers.map(async ({ amqpUrl, urlFor, addUser }, n) => {
      const mesh = await startMesh({
        ...optionsOf(n),
        amqpUrl,
        urlFor,
        addUser,
        nodePrefix: `${names[n]}-`,
        hasGateway: n === 0,
        ...(n === 0 && { gatewayEnv: { EVENKEEL_CELLS: cellMaps.gateway } }),
      });
      meshes.push(mesh);
      return mesh;
    });
    const started = await Promise.allSettled(starts);
    const [first, ...others] = started.flatMap((each, n) => {
      if (each.status === 'rejected') throw each.reason;
      const own = brokers[n];
      if (own === undefined) return [];
      const { amqpUrl, urlFor, kind, description } = own;
      return [{ name: names[n], broker: { amqpUrl, urlFor, kind, description, own }, mesh: each.value }];
    });
    if (first === undefined) throw new Error('there is at least one cell');
    return [first, ...others];
  } catch (error) {
    await Promise.all(meshes.map((mesh) => mesh.stop()));
    await Promise.all(brokers.map((broker) => broker.stop()));
    throw error;
  }
}

/** The users of each cell by the hash of their ids alone; whoever tries something edits it, and sends the gateway SIGHUP. */
function writeMap(file: string, names: readonly string[], addresses: readonly string[]): void {
  const cells = Object.fromEntries(names.map((name, n) => [name, { amqpUrl: addresses[n] }]));
  mkdirSync(stateDir, { recursive: true });
  // It holds passwords.
  writeFileSync(file, `${JSON.stringify({ cells }, null, 2)}\n`, { mode: 0o600 });
  watchOver({ kind: 'path', path: file });
}

/** Takes the maps away. */
export function removeMaps(): void {
  for (const file of Object.values(cellMaps)) rmSync(file, { force: true });
}
