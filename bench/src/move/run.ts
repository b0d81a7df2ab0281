import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CertificateFolder,
  type Mesh,
  type PrivateBroker,
  startMesh,
  startPrivateBroker,
} from '@evenkeel/local';
import { seededRandom } from '@evenkeel/testkit';
import { timeOfDay } from '../fleet/clock.js';
import { addTo } from '../fleet/counts.js';
import { summaryOf } from '../fleet/delays.js';
import { type Fleet, startFleet } from '../fleet/fleet.js';
import type { Deliveries, FaultyClient } from '../fleet/messages.js';
import { startNumberedTopics, startPlainEvents } from '../fleet/numbered-plain.js';
import {
  type NumberedPublisher,
  type PublishedCounts,
  startNumberedPublisher,
} from '../fleet/numbered-publisher.js';
import { topicNumber, topicsOfClients } from '../fleet/topic-load.js';
import { until } from '../fleet/until.js';
import { allowedGaps, evidenceOf, isClientFault, meshFault } from './faults.js';
import { watchProcessors } from './machine.js';
import type { MeshFault } from './mesh-fault.js';
import type { MoveOptions } from './options.js';
import { PaceWatch } from './pace.js';
import { planPerSecond } from './plan-fault.js';
import type { Accounts, MoveResult } from './result.js';
import { type Exchange, exchangeCertificate } from './tls.js';
import { judge, type Measured } from './verdict.js';

const connectTimeoutMs = 180_000;
const recoverTimeoutMs = 60_000;
const settleTimeoutMs = 60_000;
/** Topic messages that have not come after this long are not coming. */
const quietMs = 3_000;
/** An acknowledgement a second at most: with few events each, a client's acks would else be as many as its events. */
const ackAfterMs = 1_000;

export interface RunContext {
  readonly options: MoveOptions;
  /** Clients dial by TLS with what is in it. */
  readonly certificates?: CertificateFolder | undefined;
  /** What differs from the defaults of this bench, for the result. */
  readonly settings: readonly string[];
  readonly say: (text: string) => void;
  /** Run at the end, last things first, however the run ends. */
  readonly atEnd: (cleanUp: () => Promise<unknown>) => void;
}

/** One run from an empty machine to its result. */
export async function runMoves(context: RunContext): Promise<MoveResult> {
  const { options, say, atEnd } = context;
  const broker = await startPrivateBroker({ choice: options.broker });
  atEnd(() => broker.stop());
  say(`RabbitMQ ${broker.version} (${broker.kind})`);
  const env = serviceSettings(options);
  const mesh = await startMesh({
    edges: options.edges,
    amqpUrl: broker.amqpUrl,
    urlFor: broker.urlFor,
    env,
    tls: context.certificates,
    onLine: (name, line) => {
      if (/"level":"?(?:warn|error|fatal)/.test(line)) say(`${name}: ${line}`);
    },
  });
  atEnd(() => mesh.stop());

  const all = options.sessions + options.control;
  const subscribed = topicsOfClients(all, options.topics);
  const fleet = await startFleet({
    gatewayUrl: mesh.gatewayUrl,
    clients: all,
    control: options.control,
    workers: options.workers,
    users: (n) => `bench-${n}`,
    topics: subscribed,
    ackAfterMs,
    mover: { amqpUrl: broker.urlFor('balancer'), edges: mesh.edges.map(({ node, url }) => ({ node, url })) },
  });
  atEnd(() => fleet.stop());
  await fleet.connected(connectTimeoutMs);
  say(`${all} clients connected to ${options.edges} edges`);

  const random = seededRandom(options.seed);
  const amqpUrl = broker.urlFor('app-shop');
  const { rate: ratePerSecond, persistent, topics: topicCount } = options;
  const { users } = fleet;
  const events = options.bare
    ? await startPlainEvents({ amqpUrl, users, ratePerSecond, random })
    : await startNumberedPublisher({ amqpUrl, users, ratePerSecond, random, persistent });
  atEnd(() => events.stop());
  const topics =
    topicCount === 0
      ? undefined
      : await startNumberedTopics({ amqpUrl, topics: topicCount, ratePerSecond: options.topicRate, random });
  atEnd(async () => topics?.stop());

  const run = new Run(context, mesh, broker, fleet, events);
  const measured = await run.measure();
  say('settling');
  const published = await events.finish(settleTimeoutMs);
  const toTopics = (await topics?.finish(settleTimeoutMs)) ?? noneSent;
  await settled(context, fleet, published, toTopics, subscribed);
  const [check, stats] = [await fleet.check(published.perNumber, toTopics.perNumber), await fleet.stats()];
  for (const { failed, firstFailure } of [published, toTopics]) {
    if (failed > 0) say(`could not be published: ${firstFailure}`);
  }
  const result: Measured = {
    ...measured,
    settings: [
      ...context.settings,
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      `ackAfterMs ${ackAfterMs}`,
    ],
    sessions: options.sessions,
    controlSessions: options.control,
    connectedAtEnd: stats.connected,
    edges: options.edges,
    broker: broker.version,
    moves: stats.moves,
    movesFailed: Object.values(stats.movesFailed).reduce((sum, count) => sum + count, 0),
    minMovesPerSession: stats.minMoves,
    events: accountsOf(published, check.events, run.gapsBefore.events, stats.gaps),
    topics: accountsOf(toTopics, check.topics, run.gapsBefore.topics, stats.topicGaps),
    repeatedOnWire: stats.repeatedOnWire,
    misrouted: check.misrouted,
    closed: stats.closed,
    disconnected: stats.disconnects,
    socketlessMs: { max: Math.round(stats.socketlessMaxMs) },
    delayMs: {
      control: summaryOf(stats.delays.control),
      moved: summaryOf(stats.delays.moved),
      duringMove: summaryOf(stats.delays.duringMove),
      controlDuring: summaryOf(stats.delays.controlDuring),
      topics: summaryOf(stats.delays.topics),
      topicsDuring: summaryOf(stats.delays.topicsDuring),
      move: summaryOf(stats.delays.moveTimes),
    },
    replays: {
      refused: stats.disturbances['replays refused'] ?? 0,
      accepted: stats.disturbances['replays let in'] ?? 0,
    },
    faulty: check.faulty.map((client) => withTimes(client, toTopics)),
  };
  const verdict = judge(result, allowedGaps[options.fault], topicCount > 0);
  if (verdict.failures.length > 0) {
    for (const { atMs, user, node, what } of stats.incidents.slice(0, 20))
      say(`  ${new Date(atMs).toISOString()} ${user} on ${node}: ${what}`);
  }
  return { ...result, ...verdict };
}

/** What services are told that is not their default. */
function serviceSettings(options: MoveOptions): Record<string, string> {
  const perSecond = String(planPerSecond(options.sessions + options.control, options.edges));
  return {
    // The bench moves; nobody else may, or the control group would not stay.
    EVENKEEL_MODE: 'manual',
    EVENKEEL_LOG_LEVEL: 'warn',
    ...(options.fault === 'balancer-killed' && {
      EVENKEEL_START_PER_SECOND: perSecond,
      EVENKEEL_MAX_PER_SECOND: perSecond,
    }),
  };
}

/** The time from the first move to the last. */
class Run {
  /** Gaps told before the delays were begun anew. */
  gapsBefore: Record<'events' | 'topics', Record<string, number>> = { events: {}, topics: {} };
  readonly #context: RunContext;
  readonly #mesh: Mesh;
  readonly #broker: PrivateBroker;
  readonly #fleet: Fleet;
  readonly #events: NumberedPublisher;
  readonly #pace = new PaceWatch();

  constructor(
    context: RunContext,
    mesh: Mesh,
    broker: PrivateBroker,
    fleet: Fleet,
    events: NumberedPublisher,
  ) {
    this.#context = context;
    this.#mesh = mesh;
    this.#broker = broker;
    this.#fleet = fleet;
    this.#events = events;
  }

  async measure(): Promise<
    Pick<MoveResult, 'fault' | 'evidence' | 'tls' | 'seconds' | 'movesPerSecond' | 'pace' | 'recoverySeconds'>
  > {
    const { options, say } = this.#context;
    const fleet = this.#fleet;
    const { fault, seconds } = options;
    await this.#moveFreely();
    await sleep(options.warmup * 1_000);
    const { gaps, topicGaps } = await fleet.stats();
    this.gapsBefore = { events: gaps, topics: topicGaps };
    await fleet.reset();
    const processorsUsed = watchProcessors();
    const movesBefore = fleet.progress.moves;
    const startedAtMs = Date.now();
    this.#pace.begin(movesBefore, startedAtMs);
    const progress = setInterval(() => {
      const { connected, delivered, moves } = fleet.progress;
      say(
        `${connected} connected, ${this.#events.counts().confirmed} published, ${delivered} delivered, ${moves} moves`,
      );
    }, 10_000);

    let struck: { recoverySeconds: number | null; evidence?: string } = { recoverySeconds: null };
    const onMesh = meshFault(fault, this.#mesh, this.#broker, fleet);
    if (onMesh) struck = await this.#strike(onMesh);
    else if (isClientFault(fault)) {
      await fleet.disturb(fault);
      await this.#untilOver(startedAtMs, (seconds * 5) / 6);
      const calmAtMs = Date.now();
      await fleet.disturb(undefined);
      const recoverySeconds = await this.#recovered(calmAtMs);
      const { disturbances } = await fleet.stats();
      struck = { recoverySeconds, ...(await evident(say, async () => evidenceOf(fault, disturbances))) };
    }
    const exchanged = await this.#exchange(startedAtMs);
    await this.#untilOver(startedAtMs, seconds);
    clearInterval(progress);
    const { moves } = fleet.progress;
    this.#pace.end(moves, Date.now());
    const tookSeconds = (Date.now() - startedAtMs) / 1_000;
    const { mover } = await fleet.stats();
    await fleet.move({ perSecond: 0 });
    return {
      fault,
      ...struck,
      ...(exchanged && { tls: exchanged }),
      seconds: Math.round(tookSeconds * 10) / 10,
      movesPerSecond: Math.round((moves - movesBefore) / tookSeconds),
      pace: {
        askedPerSecond: options.movesPerSecond,
        perSecond: this.#pace.perSecond,
        mover,
        processors: processorsUsed(),
      },
    };
  }

  /** Half-way, with TLS: another certificate. */
  async #exchange(startedAtMs: number): Promise<Exchange | undefined> {
    const { options, certificates, say } = this.#context;
    if (certificates === undefined) return undefined;
    await this.#untilOver(startedAtMs, options.seconds / 2);
    say('exchanging the certificate');
    return await exchangeCertificate(certificates, this.#mesh, async () => {
      const { disconnects, movesFailed, moves } = await this.#fleet.stats();
      return { disconnects, movesFailed: Object.values(movesFailed).reduce((a, b) => a + b, 0), moves };
    });
  }

  async #strike(fault: MeshFault): Promise<{ recoverySeconds: number | null; evidence?: string }> {
    const { options, say } = this.#context;
    const fleet = this.#fleet;
    await sleep((options.seconds * 1_000) / 3);
    this.#pace.end(fleet.progress.moves, Date.now());
    const { from, to } = fault;
    await fleet.move({ perSecond: fault.isBalancers ? 0 : options.movesPerSecond, from, to });
    await sleep(1_000);
    const beganAtMs = Date.now();
    say(`fault: ${options.fault}`);
    await fault.strike();
    // A plan takes its time until it is struck.
    const struckAtMs = fault.isBalancers ? Date.now() : beganAtMs;
    await sleep(fault.lastsMs);
    await fault.mend();
    const recoverySeconds = await this.#recovered(struckAtMs);
    const seen = await evident(say, fault.evidence);
    await this.#moveFreely();
    this.#pace.begin(fleet.progress.moves, Date.now());
    return { recoverySeconds, ...seen };
  }

  #moveFreely(): Promise<void> {
    return this.#fleet.move({ perSecond: this.#context.options.movesPerSecond });
  }

  async #untilOver(startedAtMs: number, seconds: number): Promise<void> {
    const { deliveries } = this.#context.options;
    const endsAtMs = startedAtMs + seconds * 1_000;
    const isOver = () =>
      Date.now() >= endsAtMs || (deliveries > 0 && this.#fleet.progress.delivered >= deliveries);
    await until(seconds * 1_000 + 1_000, 50, isOver);
  }

  /** Seconds from `sinceMs` until everybody is connected and nothing waits; null: that did not come. */
  async #recovered(sinceMs: number): Promise<number | null> {
    const { options, say } = this.#context;
    const all = options.sessions + options.control;
    const isBack = await until(recoverTimeoutMs, 50, () => {
      const { connected, delivered } = this.#fleet.progress;
      return connected === all && this.#events.counts().confirmed - delivered < options.rate / 2;
    });
    if (!isBack) say('gave up waiting until all are back');
    return isBack ? (Date.now() - sinceMs) / 1_000 : null;
  }
}

/** What shows the fault; nothing, with the reason said, when it did not happen. */
async function evident(say: RunContext['say'], look: () => Promise<string>): Promise<{ evidence?: string }> {
  try {
    return { evidence: await look() };
  } catch (error) {
    say(`the fault did not happen: ${error instanceof Error ? error.message : String(error)}`);
    return {};
  }
}

/** Waits until everything that is coming has come. */
async function settled(
  { options, say }: RunContext,
  fleet: Fleet,
  events: PublishedCounts,
  topics: PublishedCounts,
  subscribed: readonly (readonly number[])[],
): Promise<void> {
  const all = options.sessions + options.control;
  const expected = subscribed.flat().reduce((sum, topic) => sum + (topics.perNumber[topic] ?? 0), 0);
  let last = -1;
  let changedAtMs = Date.now();
  const isSettled = await until(settleTimeoutMs, 50, () => {
    const { connected, delivered, topicsDelivered } = fleet.progress;
    if (delivered + topicsDelivered !== last) changedAtMs = Date.now();
    last = delivered + topicsDelivered;
    if (connected < all || delivered < events.confirmed) return false;
    return topicsDelivered >= expected || Date.now() - changedAtMs > quietMs;
  });
  if (!isSettled) say('gave up waiting until everything is delivered');
  // A repeat may come late.
  await sleep(500);
}

/** Adds to a client's history when the topic messages that it misses were published. */
function withTimes(client: FaultyClient, { sentAtMs }: PublishedCounts): FaultyClient {
  if (client.topic === undefined) return client;
  const times = sentAtMs[topicNumber(client.topic)] ?? [];
  const published = client.missing.map(
    (k) => `${timeOfDay(times[k - 1] ?? 0)} published ${k}, which did not come`,
  );
  return { ...client, history: [...client.history, ...published].sort() };
}

const noneSent: PublishedCounts = {
  sentAtMs: [],
  sent: 0,
  confirmed: 0,
  unrouted: 0,
  failed: 0,
  perNumber: new Uint32Array(),
  failures: [],
  firstFailure: undefined,
};

function accountsOf(
  { sent, confirmed, unrouted }: PublishedCounts,
  deliveries: Deliveries,
  gapsBefore: Readonly<Record<string, number>>,
  gapsSince: Readonly<Record<string, number>>,
): Accounts {
  const gaps = { ...gapsBefore };
  addTo(gaps, gapsSince);
  return { published: sent, failed: sent - confirmed, unrouted, ...deliveries, gaps };
}
