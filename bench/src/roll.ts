/** `npm run bench:roll`: the compose project is rolled to a new version, under clients. */
import { type LocalAddresses, localAddresses, parseFlags, reportFailure, wholeNumber } from '@evenkeel/local';
import { startFleet } from './fleet/fleet.js';
import { type NumberedPublisher, startNumberedPublisher } from './fleet/numbered-publisher.js';
import { until } from './fleet/until.js';
import { layersOf, type Project, startProject } from './roll/project.js';
import { sdkGroup } from './story/upgrade/group.js';
import { faultsOf, type GroupResult } from './story/upgrade/result.js';

const help = `npm run bench:roll -- [--clients N] [--keep]

Starts docker-compose.yml, connects clients of the SDK, rolls it to a new version with infra/docker/roll.sh, and judges:
each client moved once, none was disconnected, every event came once and in order, our layers of an image are 60 MB at most.
  --clients N   60
  --keep        leaves the project running; one that runs already is left running anyway
Needs a container engine with Docker Compose. Exit status 0 only if all of it held.
`;

const connectTimeoutMs = 60_000;
const arriveTimeoutMs = 30_000;
/** A repeat, or a rebalance that nobody needs, may come late. */
const afterwardsMs = 5_000;
const mostLayerBytes = 60_000_000;

async function run(clients: number, keep: boolean): Promise<string[]> {
  const project = await startProject();
  try {
    const addresses = localAddresses();
    if (addresses === undefined) throw new Error('npm run compose:setup has left no addresses');
    const faults = await roll(project, addresses, clients);
    return [...faults, ...(await judgeImages())];
  } finally {
    if (!keep && !project.wasRunning) await project.remove();
  }
}

async function roll(project: Project, addresses: LocalAddresses, clients: number): Promise<string[]> {
  const fleet = await startFleet({ gatewayUrl: addresses.gateway, clients, users: (n) => `roll-${n}` });
  let publisher: NumberedPublisher | undefined;
  try {
    await fleet.connected(connectTimeoutMs);
    await fleet.reset();
    publisher = await startNumberedPublisher({
      amqpUrl: addresses.appAmqpUrl,
      users: fleet.users,
      ratePerSecond: clients,
    });
    const edges = await project.edges();
    const before = await fleet.changes();
    say(`${clients} clients on ${edges.length} edges: ${spread(await fleet.nodes())}`);
    const next = String(Math.max(0, ...edges.map(({ version }) => Number(version) || 0)) + 1);
    await project.roll(next);
    await new Promise((resolve) => setTimeout(resolve, afterwardsMs));
    const { sent } = await publisher.finish();
    await until(arriveTimeoutMs, 100, () => fleet.progress.delivered >= sent);

    const changes = (await fleet.changes()).map((count, n) => count - (before[n] ?? 0));
    const moves = { roll: { fewest: Math.min(...changes), most: Math.max(...changes) } };
    const group = sdkGroup('SDK', fleet, publisher);
    const result: GroupResult = {
      ...(await group.outcome(new Uint32Array())),
      name: 'SDK',
      clients,
      moves,
    };
    const after = await project.edges();
    say(`${result.clients} clients: ${spread(await fleet.nodes())}`);
    say(
      `moves of a client ${moves.roll.fewest} to ${moves.roll.most}, disconnects ${result.disconnects}; ` +
        `${result.published} events: ${result.lost} lost, ${result.repeated} repeated, ${result.reordered} out of order`,
    );
    const old = after.filter(({ version }) => version !== next).length;
    return [
      ...faultsOf(result, 1),
      ...(old === 0 ? [] : [`${old} edges of before still run`]),
      ...(after.length === edges.length ? [] : [`${after.length} edges run, not ${edges.length}`]),
      ...((await group.connected()) === clients ? [] : ['not every client is connected at the end']),
    ];
  } finally {
    await publisher?.stop();
    await fleet.stop();
  }
}

async function judgeImages(): Promise<string[]> {
  const faults: string[] = [];
  for (const [image, base] of [
    ['evenkeel', 'node:24-trixie-slim'],
    ['evenkeel-ingress', 'debian:trixie-slim'],
  ] as const) {
    const { ownBytes, wholeBytes } = await layersOf(image, base);
    say(`${image}: ${megabytes(wholeBytes)} MB, of these ${megabytes(ownBytes)} MB in our own layers`);
    if (ownBytes > mostLayerBytes)
      faults.push(`our layers of ${image} are over ${megabytes(mostLayerBytes)} MB`);
  }
  return faults;
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);
const spread = (nodes: Readonly<Record<string, number>>): string =>
  Object.entries(nodes)
    .filter(([, count]) => count > 0)
    .map(([node, count]) => `${node} ${count}`)
    .join(', ');

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

let status = 1;
try {
  const flags = parseFlags(process.argv.slice(2), {
    clients: { type: 'string', default: '60' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) {
    process.stdout.write(help);
    status = 0;
  } else {
    const faults = await run(wholeNumber('--clients', flags.clients, 1, 5_000), flags.keep);
    say(
      faults.length === 0
        ? 'All of it held.'
        : `NOT HELD:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    status = faults.length === 0 ? 0 : 1;
  }
} catch (error) {
  status = reportFailure(error);
}
process.exit(status);
