/** `npm run bench:sizing`: what a session and an event cost in memory and processor time. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  brokerChoice,
  parseFlags,
  reportFailure,
  startMesh,
  startPrivateBroker,
  wholeNumber,
} from '@evenkeel/local';
import { startFleet } from './fleet/fleet.js';
import { startNumberedPublisher } from './fleet/numbered-publisher.js';
import { usedBy, usedByBroker } from './mesh/used.js';

const help = `npm run bench:sizing -- [flags]   Memory of a session, processor time of an event: edge, gateway, balancer, RabbitMQ.

  --sessions N   (4000)
  --rate N       events published a second (1000)
  --seconds N    of each measurement (20)
  --broker KIND  auto, container or local (auto)
  --json         the result as one object
  --help
`;

/** Garbage is left alone: memory is what it is after this long without an event. */
const calmMs = 5_000;
const settleTimeoutMs = 60_000;

const cleanUps: (() => Promise<unknown>)[] = [];
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function measure(flags: { sessions: number; rate: number; seconds: number; broker: string }) {
  const { sessions, rate, seconds } = flags;
  const broker = await startPrivateBroker({ choice: brokerChoice(flags.broker) });
  cleanUps.push(() => broker.stop());
  const mesh = await startMesh({
    edges: 1,
    amqpUrl: broker.amqpUrl,
    urlFor: broker.urlFor,
    env: { EVENKEEL_MODE: 'manual', EVENKEEL_LOG_LEVEL: 'warn' },
  });
  cleanUps.push(() => mesh.stop());
  const [edge] = mesh.edges;
  const [balancer] = mesh.balancers;
  if (edge === undefined || balancer === undefined) throw new Error('no edge, or no balancer');

  const look = async () => ({
    edge: await usedBy(edge),
    gateway: await usedBy(mesh.gateway),
    balancer: await usedBy(balancer),
    broker: await usedByBroker(broker),
  });
  type Look = Awaited<ReturnType<typeof look>>;
  const parts = ['edge', 'gateway', 'balancer', 'broker'] as const;
  const each = (value: (part: (typeof parts)[number]) => number) =>
    Object.fromEntries(parts.map((part) => [part, Math.round(value(part) * 1_000) / 1_000]));
  const cores = (from: Look, to: Look) => (part: (typeof parts)[number]) =>
    (to[part].cpuSeconds - from[part].cpuSeconds) / seconds;

  await sleep(calmMs);
  const empty = await look();
  say(`${sessions} sessions`);
  const fleet = await startFleet({
    gatewayUrl: mesh.gatewayUrl,
    clients: sessions,
    workers: 2,
    users: (n) => `bench-${n}`,
  });
  cleanUps.push(() => fleet.stop());
  await fleet.connected(180_000);
  await sleep(calmMs);
  const full = await look();
  await sleep(seconds * 1_000);
  const idle = await look();
  say(`${rate} events a second`);
  const events = await startNumberedPublisher({
    amqpUrl: broker.urlFor('app-shop'),
    users: fleet.users,
    ratePerSecond: rate,
    persistent: false,
  });
  cleanUps.push(() => events.stop());
  await sleep(calmMs);
  const [busyFrom, sentBefore] = [await look(), events.counts().confirmed];
  await sleep(seconds * 1_000);
  const [busyTo, sentAfter] = [await look(), events.counts().confirmed];
  const { confirmed } = await events.finish(settleTimeoutMs);
  const perSecond = (sentAfter - sentBefore) / seconds;
  const [atRest, atWork] = [cores(full, idle), cores(busyFrom, busyTo)];
  return {
    sessions,
    broker: broker.version,
    eventsPerSecond: Math.round(perSecond),
    published: confirmed,
    delivered: fleet.progress.delivered,
    emptyMiB: each((part) => empty[part].bytes / 2 ** 20),
    kibASession: each((part) => (full[part].bytes - empty[part].bytes) / 1_024 / sessions),
    coresAtRest: each(atRest),
    coresAtWork: each(atWork),
    /** What one core would carry, from what the events cost above standing still. */
    eventsASecondOfACore: each((part) => perSecond / Math.max(0.001, atWork(part) - atRest(part))),
  };
}

try {
  const flags = parseFlags(process.argv.slice(2), {
    sessions: { type: 'string', default: '4000' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    broker: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) process.stdout.write(help);
  else {
    const result = await measure({
      sessions: wholeNumber('--sessions', flags.sessions, 1, 15_000),
      rate: wholeNumber('--rate', flags.rate, 1, 100_000),
      seconds: wholeNumber('--seconds', flags.seconds, 1, 3_600),
      broker: flags.broker,
    });
    console.log(flags.json ? JSON.stringify(result) : JSON.stringify(result, null, 2));
  }
} catch (error) {
  process.exitCode = reportFailure(error);
} finally {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
}
