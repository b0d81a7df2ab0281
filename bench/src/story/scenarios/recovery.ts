import { setTimeout as sleep } from 'node:timers/promises';
import { Broker } from '@evenkeel/broker';
import type { Edge } from '@evenkeel/local';
import { exchanges, topicKey } from '@evenkeel/protocol';
import { type NumberedPublisher, numbered } from '../../fleet/numbered-publisher.js';
import { until } from '../../fleet/until.js';
import { whenReady } from '../../mesh/when-ready.js';
import { Audience, type GroupPlan } from '../recovery/audience.js';
import { faultsOfGroup, type RecoveryResult, type RecoveryStep } from '../recovery/result.js';
import { type Stage, say } from '../stage.js';

/** So few are kept that a loss takes more. */
const tooFew = 3;
const namespaces = {
  whole: { subscribe: 'anyone', history: { size: 10_000, seconds: 3600 } },
  brief: { subscribe: 'anyone', history: { size: tooFew, seconds: 3600 } },
};
const names = (namespace: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${namespace}.${n}`);
const wholeTopics = names('whole', 40);
const briefTopics = names('brief', 2);
const topics = [...wholeTopics, ...briefTopics];
/** Part of the messages that are of topics with too little kept. */
const briefPart = 0.2;
const briefSubscribers = 0.04;
const calmMs = 5_000;
const backTimeoutMs = 120_000;
const patienceMs = 60_000;
const arriveTimeoutMs = 60_000;

/**
 * Subscribers of topics with history, each of whom loses its edge to a kill at least twice, while one is drained, and the broker
 * restarts. Who has what is kept gets all of it, once and in order; who does not is told so once, and gets nothing of it.
 */
export async function playRecovery(stage: Stage): Promise<RecoveryResult> {
  // Nobody is moved but by the drain, so that it is known who loses which edge.
  await stage.set({ EVENKEEL_NAMESPACES: JSON.stringify({ namespaces }), EVENKEEL_MODE: 'manual' });
  const { sessions } = stage.options;
  const brief = Math.ceil(sessions * briefSubscribers);
  const groups: readonly GroupPlan[] = [
    { name: 'whole', topics: wholeTopics, subscribers: sessions - brief },
    { name: 'too short', topics: briefTopics, subscribers: brief, size: tooFew },
  ];
  const audience = new Audience(stage.mesh.gatewayUrl, groups);
  stage.atEnd(() => audience.close());
  await audience.ready();
  say(`${sessions} subscribers are connected.`);
  const publisher = await publish(stage);
  const steps: RecoveryStep[] = [];
  const [first, second] = stage.mesh.edges as [Edge, Edge];

  const step = async (name: string, take: () => Promise<unknown>, isBack = () => true): Promise<void> => {
    const before = { ...audience.counts };
    const beganAtMs = Date.now();
    await take();
    const areBack = await until(backTimeoutMs, 50, () => audience.connected === sessions && isBack());
    const seconds = Math.round((Date.now() - beganAtMs) / 100) / 10;
    if (!areBack) stage.fail(`${name}: ${sessions - audience.connected} were not back after ${seconds} s`);
    await sleep(calmMs);
    const now = audience.counts;
    const counts = Object.fromEntries(
      Object.entries(now).map(([key, value]) => [key, value - before[key as 'past']]),
    ) as typeof before;
    steps.push({ name, seconds, ...counts });
    say(`${name}: ${seconds} s, ${JSON.stringify(counts)}`);
  };
  const allHaveLost = (name: string): void => {
    const lost = steps.find((each) => each.name === name)?.disconnects ?? 0;
    if (lost < sessions) stage.fail(`${name}: only ${lost} of ${sessions} lost their edge`);
  };
  const { operator } = stage;
  await step('calm', async () => undefined);
  await step(
    'kill -9 edge-1',
    () => first.kill(),
    () => audience.on(second.node) === sessions,
  );
  await step('edge-1 is back', () => first.start());
  await step(
    'kill -9 edge-2',
    () => second.kill(),
    () => audience.on(first.node) === sessions,
  );
  allHaveLost('kill -9 edge-2');
  await step('edge-2 is back', () => second.start());
  await step(
    'kill -9 edge-1 again',
    () => first.kill(),
    () => audience.on(second.node) === sessions,
  );
  allHaveLost('kill -9 edge-1 again');
  await step('edge-1 is back again', () => first.start());
  await step(
    'drain edge-2',
    () => whenReady(patienceMs, () => operator.drain({ node: second.node })),
    () => audience.on(second.node) === 0,
  );
  await step('uncordon edge-2', () => whenReady(patienceMs, () => operator.uncordon({ node: second.node })));
  await step('the broker restarts', () => stage.restartBroker());

  const counts = await publisher.finish(patienceMs);
  const lastOf = (topic: string): number => counts.perNumber[topics.indexOf(topic)] ?? 0;
  await until(arriveTimeoutMs, 100, () => audience.hasAll(lastOf));
  // A repeat may come late.
  await sleep(1_000);
  const outcome = audience.outcome(lastOf);
  for (const fault of outcome.flatMap(faultsOfGroup)) stage.fail(fault);
  if (counts.confirmed < counts.sent)
    stage.fail(`${counts.sent - counts.confirmed} messages were not confirmed: ${counts.firstFailure}`);
  if (counts.unrouted > 0) stage.fail(`${counts.unrouted} messages reached no queue`);
  const [, short] = outcome;
  if (short?.gaps === 0) stage.fail('no loss took more than was kept, so that nothing is known of gaps');
  return {
    scenario: 'recovery',
    held: stage.failures.length === 0,
    failures: stage.failures,
    published: counts.sent,
    recovery: steps,
    groups: outcome,
  };
}

/** Numbered messages, each with an id: what goes out again after the loss of the broker is known by it. */
async function publish(stage: Stage): Promise<NumberedPublisher> {
  const { random, options } = stage;
  const broker = await Broker.connect({ url: stage.urlFor('app-shop'), name: 'numbered, with history' });
  const channel = broker.publisher({ timeoutMs: patienceMs });
  const publisher = numbered({
    count: topics.length,
    ratePerSecond: options.rate,
    pick: () =>
      random() < briefPart
        ? wholeTopics.length + Math.floor(random() * briefTopics.length)
        : Math.floor(random() * wholeTopics.length),
    send: async (message) => {
      const { n, k } = message;
      const key = topicKey(topics[n] as string);
      const outcome = await channel.publish(exchanges.events, key, JSON.stringify(message), {
        mandatory: true,
        persistent: true,
        contentType: 'application/json',
        messageId: `${n}.${k}`,
      });
      return outcome === 'routed';
    },
    close: () => broker.close(),
  });
  stage.atEnd(() => publisher.stop());
  return publisher;
}
