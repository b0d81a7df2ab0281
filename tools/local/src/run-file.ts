import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { appUser } from '@evenkeel/mesh/rights';
import type { BrokerInUse } from './broker/resolve.js';
import { cellMaps, type RunningCell } from './cells.js';
import type { ControlAddress } from './control/local-control.js';
import { Failure } from './failure.js';
import { watchOver } from './guard.js';
import type { Member } from './member.js';
import { composeFile, runFile } from './paths.js';
import { isRunning } from './running.js';

/** Where a mesh is reached. */
export interface LocalAddresses {
  /** The administrator's, as are those of tests and faults; a found broker's only one. */
  readonly amqpUrl: string;
  /** For applications: the user `app-shop`, who publishes events and serves `shop.…`. */
  readonly appAmqpUrl: string;
  /** For operators, who command and do nothing else. */
  readonly operatorAmqpUrl: string;
  /** For those who only look. */
  readonly viewerAmqpUrl: string;
  readonly gateway: string;
  /** Null: none runs. */
  readonly console: string | null;
  /** The HTTP API, and a key of it that may do everything. Null: none runs. */
  readonly api: { readonly url: string; readonly key: string } | null;
}

/** One of several cells, each with a RabbitMQ of its own. */
interface CellRun {
  readonly name: string;
  readonly amqpUrl: string;
  readonly appAmqpUrl: string;
  readonly operatorAmqpUrl: string;
  readonly brokerPid: number | null;
  readonly balancerPid: number | null;
  /** Names of its nodes. */
  readonly edges: readonly string[];
}

/** What `.evenkeel/run.json` says while `npm start` runs. A process that has died, and is being started again, has the id null. */
export interface RunFile extends LocalAddresses {
  readonly gatewayPid: number | null;
  readonly gatewayOpsUrl: string;
  readonly consolePid: number | null;
  readonly consoleOpsUrl: string | null;
  readonly apiPid: number | null;
  readonly apiOpsUrl: string | null;
  readonly edges: readonly { node: string; url: string; pid: number | null; opsUrl: string }[];
  readonly balancer: { pid: number | null; opsUrl: string } | null;
  readonly demo: { pid: number | null; opsUrl: string } | null;
  readonly crowd: { pid: number | null; opsUrl: string } | null;
  /** Takes `evenkeel local …`; null outside of development mode. */
  readonly control: ControlAddress | null;
  readonly broker: {
    kind: BrokerInUse['kind'];
    pid?: number;
    /** Of a cluster. */
    nodes?: readonly { name: string; pid: number; amqpUrl: string }[];
  };
  /**
   * With `--cells`; what is said above of the broker is of the first one. `map`: what the gateway reads, on SIGHUP again; `appMap`: the same
   * with the addresses of `app-shop`.
   */
  readonly cells: {
    readonly map: string;
    readonly appMap: string;
    readonly all: readonly CellRun[];
  } | null;
  readonly startedAt: string;
  readonly pid: number;
}

/** Fails when another `npm start` of this checkout runs. What a dead one left behind is ignored. */
export function requireNoOtherRun(): void {
  const other = readRunFile();
  if (other === undefined || !isAlive(other.pid)) return;
  throw new Failure(
    'already-running',
    `Evenkeel runs here already (pid ${other.pid}, gateway ${other.gateway}). ` +
      `Stop that one first (Ctrl-C there, or kill ${other.pid}).`,
  );
}

/** Writes the file anew; call again when a process id in it changes. */
export function writeRunFile(
  cells: readonly [RunningCell, ...RunningCell[]],
  control: ControlAddress | null,
  startedAt: Date,
): void {
  const [{ mesh, broker }] = cells;
  const content: RunFile = {
    amqpUrl: broker.amqpUrl,
    appAmqpUrl: broker.urlFor(appUser('shop')),
    operatorAmqpUrl: broker.urlFor('operator'),
    viewerAmqpUrl: broker.urlFor('viewer'),
    gateway: mesh.gatewayUrl,
    console: mesh.consoleUrl ?? null,
    api: mesh.apiAddress ?? null,
    gatewayPid: mesh.gateway.pid,
    gatewayOpsUrl: mesh.gateway.opsUrl,
    consolePid: mesh.console?.pid ?? null,
    consoleOpsUrl: mesh.console?.opsUrl ?? null,
    apiPid: mesh.api?.pid ?? null,
    apiOpsUrl: mesh.api?.opsUrl ?? null,
    edges: cells.flatMap((cell) =>
      cell.mesh.edges.map(({ node, url, pid, opsUrl }) => ({ node, url, pid, opsUrl })),
    ),
    balancer: addressOf(mesh.balancers[0]),
    demo: addressOf(mesh.demo),
    crowd: addressOf(mesh.crowd),
    control,
    broker: {
      kind: broker.kind,
      ...(broker.own?.pid === undefined ? {} : { pid: broker.own.pid }),
      ...(broker.own?.nodes && {
        nodes: broker.own.nodes.map(({ name, pid, amqpUrl }) => ({ name, pid, amqpUrl })),
      }),
    },
    cells:
      cells.length === 1 ? null : { map: cellMaps.gateway, appMap: cellMaps.app, all: cells.map(cellRun) },
    startedAt: startedAt.toISOString(),
    pid: process.pid,
  };
  mkdirSync(dirname(runFile), { recursive: true });
  // It holds the broker's password, the token of the control, and a key of the API.
  writeFileSync(runFile, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}

/** Sees to it that the file is gone when this process is. Returns how to remove it now. */
export function ownRunFile(): () => void {
  const release = watchOver({ kind: 'path', path: runFile });
  return () => {
    rmSync(runFile, { force: true });
    release();
  };
}

/** Undefined when there is none, or none that can be read. */
export function readRunFile(): RunFile | undefined {
  return readAddresses(runFile) as RunFile | undefined;
}

/** Where the mesh that runs here is reached, or the one that is set up for Compose. */
export function localAddresses(): LocalAddresses | undefined {
  return readRunFile() ?? readAddresses(composeFile);
}

function readAddresses(file: string): LocalAddresses | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LocalAddresses;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  if (!isRunning(pid)) return false;
  // The number may have gone to a process that has nothing to do with us.
  const commandLine = `/proc/${pid}/cmdline`;
  return !existsSync(commandLine) || readFileSync(commandLine, 'utf8').includes('start.mjs');
}

function cellRun({ name = '', broker, mesh }: RunningCell): CellRun {
  return {
    name,
    amqpUrl: broker.amqpUrl,
    appAmqpUrl: broker.urlFor(appUser('shop')),
    operatorAmqpUrl: broker.urlFor('operator'),
    brokerPid: broker.own?.pid ?? null,
    balancerPid: mesh.balancers[0]?.pid ?? null,
    edges: mesh.edges.map(({ node }) => node),
  };
}

function addressOf(member: Pick<Member, 'pid' | 'opsUrl'> | undefined): RunFile['balancer'] {
  return member === undefined ? null : { pid: member.pid, opsUrl: member.opsUrl };
}
