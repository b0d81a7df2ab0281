/** `npm run bench:move`: sessions are moved round and round under traffic, and every event is accounted for. */
import { writeFileSync } from 'node:fs';
import { startMesh, startPrivateBroker } from '@evenkeel/local';
import { startNumberedPublisher } from './fleet/numbered-publisher.js';
import { seededRandom } from './fleet/random.js';
import { scheduleAsBatch } from './fleet/scheduling.js';
import { until } from './fleet/until.js';
import { meshFault } from './move/mesh-faults.js';
import { type MoveOptions, readOptions, usage } from './move/options.js';
import { isExact, type MoveResult, printable, summarise } from './move/result.js';
import { userOf } from './move/roster.js';
import { Workers } from './move/workers.js';

const connectTimeoutMs = 180_000;
const recoverTimeoutMs = 60_000;
const settleTimeoutMs = 60_000;

const cleanUps: (() => Promise<unknown>)[] = [];
const say = (text: string) => process.stderr.write(`${text}\n`);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function waitUntil(what: string, timeoutMs: number, isSo: () => boolean): Promise<boolean> {
  const isDone = await until(timeoutMs, 50, isSo);
  if (!isDone) say(`gave up waiting until ${what}`);
  return isDone;
}

async function run(options: MoveOptions): Promise<MoveResult> {
  const all = options.sessions + options.control;
  if (!scheduleAsBatch()) say('no batch scheduling (chrt of util-linux): expect fewer moves a second');
  const broker = await startPrivateBroker({ choice: options.broker });
  cleanUps.push(() => broker.stop());
  say(`RabbitMQ ${broker.version} (${broker.kind})`);
  const mesh = await startMesh({
    edges: options.edges,
    amqpUrl: broker.amqpUrl,
    // The bench moves; nobody else may, or the control group would not stay.
    env: { EVENKEEL_MODE: 'manual', EVENKEEL_LOG_LEVEL: 'warn' },
    onLine: (name, line) => {
      if (/"level":"?(?:warn|error|fatal)/.test(line)) say(`${name}: ${line}`);
    },
  });
  cleanUps.push(() => mesh.stop());

  const share = Math.ceil(all / options.workers);
  const workers = new Workers(
    Array.from({ length: options.workers }, (_, i) => ({
      amqpUrl: broker.amqpUrl,
      gatewayUrl: mesh.gatewayUrl,
      edges: mesh.edges.map(({ node, url }) => ({ node, url })),
      first: i * share,
      last: Math.min(all, (i + 1) * share) - 1,
      moved: options.sessions,
      fault: options.fault,
    })),
  );
  cleanUps.push(() => workers.stop());
  const late = sleep(connectTimeoutMs).then(() =>
    Promise.reject(new Error('the clients did not connect in time')),
  );
  await Promise.race([workers.ready(), late]);
  late.catch(() => {});
  say(`${all} clients connected to ${options.edges} edges`);

  const traffic = await startNumberedPublisher({
    amqpUrl: broker.amqpUrl,
    users: Array.from({ length: all }, (_, number) => userOf(number)),
    ratePerSecond: options.rate,
    random: seededRandom(options.seed),
    persistent: options.persistent,
  });
  cleanUps.push(() => traffic.stop());
  workers.move(options.movesPerSecond);
  await sleep(options.warmup * 1000);
  workers.tell({ do: 'measure' });
  const movesBefore = workers.progress.moves;
  const startedAt = Date.now();
  workers.tell({ do: 'fault', fault: options.fault, isOn: true });
  const endsAt = startedAt + options.seconds * 1000;
  const isOver = () =>
    Date.now() >= endsAt || (options.deliveries > 0 && workers.progress.delivered >= options.deliveries);
  const progress = setInterval(() => {
    const { connected, delivered, moves } = workers.progress;
    say(
      `${connected} connected, ${traffic.counts().confirmed} published, ${delivered} delivered, ${moves} moves`,
    );
  }, 10_000);

  let recoverySeconds: number | null = null;
  /** Seconds from `sinceMs` until everybody is connected and nothing waits; null: that did not come. */
  const recovered = async (sinceMs: number): Promise<number | null> => {
    const isCaughtUp = () =>
      workers.progress.connected === all &&
      traffic.counts().confirmed - workers.progress.delivered < options.rate / 2;
    const isBack = await waitUntil('all are back', recoverTimeoutMs, isCaughtUp);
    return isBack ? (Date.now() - sinceMs) / 1000 : null;
  };
  const fault = meshFault(options.fault, mesh, broker);
  if (fault) {
    await sleep((options.seconds * 1000) / 3);
    workers.move(options.movesPerSecond, fault.from, fault.to);
    await sleep(1_000);
    const struckAt = Date.now();
    say(`fault: ${options.fault}`);
    await fault.strike();
    await sleep(fault.lastsMs);
    await fault.mend();
    recoverySeconds = await recovered(struckAt);
    workers.move(options.movesPerSecond);
  } else if (options.fault !== 'none') {
    await sleep(((options.seconds * 1000) / 6) * 5);
    const calmAt = Date.now();
    workers.tell({ do: 'fault', fault: options.fault, isOn: false });
    recoverySeconds = await recovered(calmAt);
  }
  await until(options.seconds * 1000 + 1_000, 50, isOver);
  const seconds = (Date.now() - startedAt) / 1000;
  workers.move(0);
  const movesAtEnd = workers.progress.moves;
  const published = await traffic.finish(settleTimeoutMs);
  await waitUntil(
    'every event is delivered',
    settleTimeoutMs,
    () => workers.progress.delivered >= published.confirmed,
  );
  await sleep(500);
  clearInterval(progress);
  const reports = await workers.report(published.perUser);
  const result = summarise(options, broker.version, seconds, published.sent, recoverySeconds, reports);
  if (published.failed > 0)
    say(`${published.failed} events could not be published: ${published.firstFailure}`);
  if (published.unrouted > 0) say(`${published.unrouted} events reached no queue`);
  result.movesPerSecond = Math.round((movesAtEnd - movesBefore) / seconds);
  return result;
}

async function cleanUp(): Promise<void> {
  for (const each of cleanUps.splice(0).reverse()) {
    await each().catch((error: unknown) => say(`while stopping: ${String(error)}`));
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void cleanUp().then(() => process.exit(130)));
}

let exitCode = 2;
try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(usage);
    exitCode = 0;
  } else {
    const result = await run(options);
    console.log(options.json ? JSON.stringify(result) : printable(result));
    if (options.out) writeFileSync(options.out, `${JSON.stringify(result, null, 2)}\n`);
    exitCode = isExact(result) ? 0 : 1;
  }
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
} finally {
  await cleanUp();
}
process.exit(exitCode);
