import { randomBytes } from 'node:crypto';
import { AddressError } from '@evenkeel/pace';
import { amqpAddresses } from '../amqp-url.js';
import type { PrivateBroker } from '../broker/broker.js';
import { type BrokerChoice, resolveBroker } from '../broker/resolve.js';
import { cellNames, type RunningCell, removeMaps, startCells } from '../cells.js';
import { compile } from '../compile.js';
import { startControlledMesh } from '../control/controlled-mesh.js';
import type { ControlAddress } from '../control/local-control.js';
import { environment, givenVariables } from '../environment.js';
import { sortGiven } from '../given.js';
import { endAllWatched } from '../guard.js';
import { logRenderer } from '../log-lines.js';
import { type MeshOptions, startMesh } from '../mesh.js';
import { freePort, portOr, requireFreePort } from '../ports.js';
import { ownRunFile, requireNoOtherRun, writeRunFile } from '../run-file.js';
import { Supervisor } from '../supervise.js';
import { banner, bannerOfCells } from './banner.js';
import { brokerChoice, parseFlags, reportFailure, UsageError, wholeNumber } from './flags.js';

const defaultCrowd = 60;
const maxCrowd = 1_000;
const usualApiPort = 8_070;

const help = `npm start -- [flags]      Runs a whole mesh on this machine and stays in front.

  --edges N             how many edges (2)
  --port PORT           the gateway's port (8080)
  --edge-port PORT      the first edge's port; the others follow (8101)
  --console-port PORT   the console's port (8090)
  --api-port PORT       the HTTP API's port (8070, or any free one where that is taken)
  --amqp-url URL        the broker to use (or EVENKEEL_AMQP_URL); of a cluster several, separated by commas
  --broker KIND         bring a private broker: container, or local (an installed rabbitmq-server).
                        Default auto: one on localhost:5672 if there is one, else a private one,
                        on port 5672 if that is free
  --brokers N           how many RabbitMQ nodes, as one cluster; more than one is always a private broker, of an
                        installed rabbitmq-server (1)
  --cells N             so many cells, each a private RabbitMQ with edges and a balancer, and one gateway over all of them,
                        up to ${cellNames.length}: docs/scale.md. Without console, HTTP API, demo and crowd (1)
  --broker-image IMAGE  for --broker container (rabbitmq:4-management)
  --crowd N             SDK clients that the page shows, up to ${maxCrowd}: each gets a numbered event a second, and
                        every number is checked (${defaultCrowd}; 0: none). Development mode only
  --no-console          without the console
  --no-api              without the HTTP API
  --no-demo             without the demo service, and without a crowd unless --crowd asks for one
  --json-logs           the services' logs as the JSON lines that they are
  --help

EVENKEEL_… variables in the shell reach the services that have them as a setting (docs/settings.md), but for those that
say which process is which (EVENKEEL_NODE, EVENKEEL_PORT, EVENKEEL_CELLS and the like): use the flags. EVENKEEL_PUBLIC_URL is where
what you put in front listens: with {node} or {port} in it, or one for all edges. EVENKEEL_SECRET is random unless given.
EVENKEEL_STATE_DIR is the folder used in place of .evenkeel.
Ctrl-C or SIGTERM stops everything in order; a second Ctrl-C at once.
While it runs, .evenkeel/run.json holds the addresses and process ids, and edges come and go on request: by the
page's buttons, or by npx evenkeel local add-edge | stop-edge [NODE] | kill-edge [NODE].
`;

/** Who may make users on somebody else's broker is that one's affair. */
const asGiven =
  'Its users are not ours to make: everything runs as the one given. docs/broker-users.md says how to give each its own.';

interface Settings {
  readonly edges: number;
  readonly port: number;
  readonly edgePort: number;
  /** Undefined: without a console. */
  readonly consolePort: number | undefined;
  /** Undefined: the usual one, or any where that is taken. */
  readonly apiPort: number | undefined;
  readonly api: boolean;
  readonly amqpUrl: string | undefined;
  readonly broker: BrokerChoice;
  /** Nodes of the broker. */
  readonly brokers: number;
  readonly cells: number;
  readonly image: string | undefined;
  readonly demo: boolean;
  readonly crowd: number;
  /** Whether the gateway believes what clients say: what is for development only depends on it. */
  readonly isDevelopment: boolean;
  readonly jsonLogs: boolean;
}

/** `npm start`. Ends the process when it is done. */
export async function run(args: readonly string[]): Promise<void> {
  let status = 0;
  try {
    const settings = readSettings(args);
    if (settings === 'help') process.stdout.write(help);
    else status = await runMesh(settings);
  } catch (error) {
    status = reportFailure(error);
  }
  await endAllWatched();
  process.exit(status);
}

async function runMesh(settings: Settings): Promise<number> {
  const begunAt = Date.now();
  requireNoOtherRun();
  const stopRequest = awaitStopRequest();
  await requireFreePort(settings.port, 'the gateway', '--port');
  for (let n = 0; n < settings.edges * settings.cells; n++) {
    await requireFreePort(settings.edgePort + n, `edge-${n + 1}`, '--edge-port');
  }

  if (settings.consolePort !== undefined)
    await requireFreePort(settings.consolePort, 'the console', '--console-port');
  if (settings.api && settings.apiPort !== undefined)
    await requireFreePort(settings.apiPort, 'the HTTP API', '--api-port');

  const { finished, finish } = finishing();
  // Nothing to write down until all have started once.
  let refreshRunFile = (): void => undefined;
  const supervisor = new Supervisor({
    onRestarting: ({ name }, how, delayMs) =>
      say(`${name} ended without having been told to (${how}). Starting it again in ${delayMs} ms.`),
    onRestarted: ({ name }) => {
      say(`${name} is back.`);
      refreshRunFile();
    },
    onGivenUp: ({ name }) => {
      say(`${name} has ended more than five times within a minute. Stopping everything.`);
      finish(1);
    },
  });
  const useColours = process.stdout.isTTY === true && environment().NO_COLOR === undefined;
  const render = logRenderer(useColours);
  const onLine = (name: string, line: string): void => {
    process.stdout.write(settings.jsonLogs ? `${line}\n` : render(name, line));
  };

  // What ends from now on has been told to.
  void stopRequest.then(() => supervisor.stop());
  const given = sortGiven(givenVariables());
  for (const warning of given.warnings) say(warning);

  say('Compiling, and looking for a broker …');
  const common = {
    edges: settings.edges,
    env: given.settings,
    onLine,
    onUnexpectedEnd: supervisor.onEnd,
  };
  const startup = (async (): Promise<Started> => {
    if (settings.cells > 1) {
      const secret = given.settings.EVENKEEL_SECRET ?? randomBytes(32).toString('base64url');
      const ports = (n: number) => ({
        gateway: settings.port,
        firstEdge: settings.edgePort + n * settings.edges,
      });
      const optionsOf = (n: number) => ({ ...common, secret, ports: ports(n) });
      const cells = await startCells(settings.cells, brokerOptions(settings), optionsOf, compile('mesh'));
      return { cells, control: null };
    }
    const [broker] = await Promise.all([resolveBroker(brokerOptions(settings)), compile('mesh')]);
    say(`Broker: ${broker.description}`);
    if (broker.own === undefined) say(asGiven);
    const options: MeshOptions = {
      ...common,
      amqpUrl: broker.amqpUrl,
      urlFor: broker.urlFor,
      ...(broker.own === undefined ? {} : { addUser: broker.own.addUser }),
      ports: {
        gateway: settings.port,
        firstEdge: settings.edgePort,
        ...(settings.consolePort !== undefined && { console: settings.consolePort }),
        // Whoever chose every port before there was an API has not chosen this one.
        api: settings.apiPort ?? (await portOr(usualApiPort, await freePort())),
      },
      api: settings.api,
      console: settings.consolePort !== undefined,
      demo: settings.demo,
      crowd: settings.crowd,
    };
    const name = undefined;
    if (!settings.isDevelopment)
      return { cells: [{ name, broker, mesh: await startMesh(options) }], control: null };
    const mesh = await startControlledMesh(options, {
      onChange: () => refreshRunFile(),
      onStartFailed: (edge, error) => {
        supervisor.onEnd(edge, error instanceof Error ? error.message : String(error));
      },
    });
    return { cells: [{ name, broker, mesh }], control: mesh.control.address };
  })();
  const started = await Promise.race([startup, stopRequest]);
  // Not everything is up yet, so there is no order to keep.
  if (started === undefined) return 0;

  const { cells, control } = started;
  const [{ broker, mesh }] = cells;
  const removeRunFile = ownRunFile();
  const startedAt = new Date();
  refreshRunFile = () => writeRunFile(cells, control, startedAt);
  refreshRunFile();
  for (const cell of cells) superviseBroker(cell, supervisor);
  const tookMs = Date.now() - begunAt;
  process.stdout.write(
    cells.length > 1 ? bannerOfCells(cells, tookMs) : banner(mesh, broker, control !== null, tookMs),
  );

  const status = await Promise.race([finished, stopRequest.then(() => 0)]);
  say('Stopping …');
  supervisor.stop();
  await stopAll(cells);
  removeRunFile();
  say('Stopped.');
  return status;
}

/** What runs; `control`: where the edges of the one cell are added and stopped. */
interface Started {
  readonly cells: readonly [RunningCell, ...RunningCell[]];
  readonly control: ControlAddress | null;
}

async function stopAll(cells: Started['cells']): Promise<void> {
  await Promise.all(cells.map(({ mesh }) => mesh.stop()));
  await Promise.all(cells.map(({ broker }) => broker.own?.stop()));
  removeMaps();
}

/** A broker of ours that ends is started again too, with the queues that it kept on disk; of a cluster, the node. */
function superviseBroker({ name, broker: { own } }: RunningCell, supervisor: Supervisor): void {
  const cell = name === undefined ? '' : `${name}-`;
  if (own === undefined) return;
  const supervise = (name: string, node: Pick<PrivateBroker, 'ended' | 'restart'>): void => {
    const watched = {
      name,
      kill: async () => undefined,
      async start() {
        await node.restart();
        watch();
      },
    };
    const watch = (): void => void node.ended().then((how) => supervisor.onEnd(watched, how));
    watch();
  };
  if (own.nodes === undefined) supervise(`${cell}broker`, own);
  else for (const [n, node] of own.nodes.entries()) supervise(`${cell}broker-${n + 1}`, node);
}

function finishing(): { finished: Promise<number>; finish: (status: number) => void } {
  let finish: (status: number) => void = () => undefined;
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });
  return { finished, finish };
}

/** A signal to a process group arrives twice, once more through npm: so soon after the first it is no second request. */
const echoMs = 500;

/** Settles at the first request to stop; the second ends everything at once. */
function awaitStopRequest(): Promise<undefined> {
  return new Promise((resolve) => {
    let askedAtMs: number | undefined;
    const onSignal = (): void => {
      const isFirst = askedAtMs === undefined;
      askedAtMs ??= performance.now();
      resolve(undefined);
      if (isFirst || performance.now() - askedAtMs < echoMs) return;
      void endAllWatched().then(() => process.exit(130));
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    onceOrphaned(() => resolve(undefined));
  });
}

/** A killed `npm start` tells its script nothing; its script then has another parent. */
function onceOrphaned(stop: () => void): void {
  if (environment().npm_lifecycle_event !== 'start') return;
  const npm = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== npm) stop();
  }, 500);
  timer.unref();
}

function brokerOptions(settings: Settings): Parameters<typeof resolveBroker>[0] {
  return {
    choice: settings.broker,
    brokers: settings.brokers,
    say,
    ...(settings.amqpUrl === undefined ? {} : { amqpUrl: settings.amqpUrl }),
    ...(settings.image === undefined ? {} : { image: settings.image }),
  };
}

function readSettings(args: readonly string[]): Settings | 'help' {
  const flags = parseFlags(args, {
    edges: { type: 'string', default: '2' },
    port: { type: 'string', default: '8080' },
    'edge-port': { type: 'string', default: '8101' },
    'console-port': { type: 'string', default: '8090' },
    'no-console': { type: 'boolean', default: false },
    'api-port': { type: 'string' },
    'no-api': { type: 'boolean', default: false },
    'amqp-url': { type: 'string' },
    broker: { type: 'string', default: 'auto' },
    brokers: { type: 'string', default: '1' },
    cells: { type: 'string', default: '1' },
    'broker-image': { type: 'string' },
    crowd: { type: 'string' },
    'no-demo': { type: 'boolean', default: false },
    'json-logs': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) return 'help';
  const given = givenVariables();
  const amqpUrl = flags['amqp-url'] ?? given.EVENKEEL_AMQP_URL;
  const addresses = amqpUrl === undefined ? [] : amqpAddresses(amqpUrl);
  if (addresses instanceof AddressError) throw new UsageError(`--amqp-url: ${addresses.message}.`);
  const brokers = wholeNumber('--brokers', flags.brokers, 1, 9);
  if (brokers > 1 && (amqpUrl !== undefined || flags.broker === 'container')) {
    throw new UsageError(
      '--brokers brings nodes of its own: it goes with neither --amqp-url nor --broker container.',
    );
  }
  const cells = wholeNumber('--cells', flags.cells, 1, cellNames.length);
  if (cells > 1 && amqpUrl !== undefined)
    throw new UsageError('--cells brings brokers of its own: it does not go with --amqp-url.');
  const isAlone = cells === 1;
  const isDevelopment = (given.EVENKEEL_AUTH ?? 'dev') === 'dev';
  const crowd = flags.crowd ?? (isAlone && isDevelopment && !flags['no-demo'] ? String(defaultCrowd) : '0');
  if (!isDevelopment && crowd !== '0') {
    throw new UsageError('--crowd needs EVENKEEL_AUTH=dev: the clients of the crowd have no tokens.');
  }
  if (/^\d+$/.test(crowd) && Number(crowd) > maxCrowd) {
    throw new UsageError(
      `--crowd takes at most ${maxCrowd} clients: they share one process and this machine. npm run bench:move takes more.`,
    );
  }
  return {
    edges: wholeNumber('--edges', flags.edges, 1, 100),
    port: wholeNumber('--port', flags.port, 1, 65_535),
    edgePort: wholeNumber('--edge-port', flags['edge-port'], 1, 65_535),
    consolePort:
      flags['no-console'] || !isAlone
        ? undefined
        : wholeNumber('--console-port', flags['console-port'], 1, 65_535),
    apiPort:
      flags['api-port'] === undefined ? undefined : wholeNumber('--api-port', flags['api-port'], 1, 65_535),
    api: isAlone && !flags['no-api'],
    amqpUrl,
    broker: brokerChoice(flags.broker),
    brokers,
    cells,
    image: flags['broker-image'],
    demo: isAlone && !flags['no-demo'],
    crowd: wholeNumber('--crowd', crowd, 0, maxCrowd),
    isDevelopment,
    jsonLogs: flags['json-logs'],
  };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
