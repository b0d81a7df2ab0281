import { setTimeout as sleep } from 'node:timers/promises';
import type { Mesh, PrivateBroker } from '@evenkeel/local';
import { clock } from '../fleet/clock.js';
import { Delays } from '../fleet/delays.js';
import { startFleet } from '../fleet/fleet.js';
import { startNumberedTopics } from '../fleet/numbered-plain.js';
import { coresBetween, usedByMesh } from '../mesh/used.js';
import { startTopicMesh, type TopicMeshOptions, topic } from '../topic-cost/mesh.js';
import { Asker } from './asker.js';

export interface HistoryOptions extends TopicMeshOptions {
  readonly subscribers: number;
  /** Messages a second. */
  readonly rate: number;
  /** Subscriptions with `last` a second. */
  readonly asks: number;
  readonly last: number;
  readonly seconds: number;
}

/** Of all edges together. */
interface Stretch {
  readonly edgeCores: number;
  readonly brokerCores: number;
}

export interface HistoryFigures {
  readonly fanout: Stretch & {
    /** Messages written to subscribers, a second. */
    readonly deliveredPerSecond: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
  };
  readonly edgeMiB: number;
  readonly brokerMiB: number;
  /** Where there is history: subscriptions with `last`, while messages go on. */
  readonly asking?: Stretch & {
    readonly perSecond: number;
    readonly refused: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
  };
}

const calmMs = 3_000;
const askers = 100;
const tickMs = 10;

/** What a topic with so many subscribers costs, with history or without it. */
export async function costOf(isKept: boolean, options: HistoryOptions): Promise<HistoryFigures> {
  const { subscribers, edges, rate, seconds, say, atEnd } = options;
  const rule = isKept ? { history: { size: 1_000, seconds: 3_600 } } : {};
  const { mesh, broker } = await startTopicMesh(rule, options);
  say(`${subscribers} subscribers of one topic ${isKept ? 'with' : 'without'} history`);
  const fleet = await startFleet({
    gatewayUrl: mesh.gatewayUrl,
    clients: subscribers,
    users: (n) => `subscriber-${n}`,
    topics: Array.from({ length: subscribers }, () => [0]),
  });
  atEnd(() => fleet.stop());
  await fleet.connected();
  const publisher = await startNumberedTopics({
    amqpUrl: broker.urlFor('app-shop'),
    topics: 1,
    ratePerSecond: rate,
    random: Math.random,
  });
  atEnd(() => publisher.stop());
  await sleep(calmMs);
  await fleet.reset();
  const from = await usedByMesh(mesh, broker);
  await sleep(seconds * 1_000);
  const [to, { delays }] = [await usedByMesh(mesh, broker), await fleet.stats()];
  const figures = {
    fanout: {
      ...coresBetween(from, to),
      deliveredPerSecond: Math.round((delays.topics.count * 1_000) / (to.atMs - from.atMs)),
      p50Ms: tenth(delays.topics.quantileMs(0.5)),
      p99Ms: tenth(delays.topics.quantileMs(0.99)),
    },
    edgeMiB: Math.round(to.edges.bytes / edges / 2 ** 20),
    brokerMiB: Math.round(to.broker.bytes / 2 ** 20),
  };
  if (!isKept) return figures;
  say(`${options.asks} subscriptions a second with the last ${options.last} messages`);
  await fleet.stop();
  return { ...figures, asking: await askingOf(mesh, broker, options) };
}

async function askingOf(
  mesh: Mesh,
  broker: PrivateBroker,
  { asks, last, seconds, atEnd }: HistoryOptions,
): Promise<NonNullable<HistoryFigures['asking']>> {
  const all = await Promise.all(
    Array.from({ length: askers }, (_, n) => Asker.enter(mesh.gatewayUrl, `asker-${n}`, topic, last)),
  );
  atEnd(async () => all.forEach((asker) => void asker.close()));
  await sleep(calmMs);
  const delays = new Delays();
  let refused = 0;
  let begun = 0;
  const from = await usedByMesh(mesh, broker);
  const beganAtMs = clock();
  const endsAtMs = beganAtMs + seconds * 1_000;
  for (let next = 0; clock() < endsAtMs; await sleep(tickMs))
    for (let tries = 0; tries < askers && begun < ((clock() - beganAtMs) * asks) / 1_000; tries += 1) {
      const asker = all[next++ % askers] as Asker;
      if (asker.isBusy) continue;
      begun += 1;
      void asker.ask().then((ms) => {
        if (ms === undefined) refused += 1;
        else delays.add(ms);
      });
    }
  const to = await usedByMesh(mesh, broker);
  return {
    ...coresBetween(from, to),
    perSecond: Math.round(delays.count / seconds),
    refused,
    p50Ms: tenth(delays.quantileMs(0.5)),
    p99Ms: tenth(delays.quantileMs(0.99)),
  };
}

const tenth = (ms: number): number => Math.round(ms * 10) / 10;
