import { setTimeout as sleep } from 'node:timers/promises';
import type { Edge } from '@evenkeel/local';
import { errorCodes } from '@evenkeel/protocol';
import { until } from '../../fleet/until.js';
import { whenReady } from '../../mesh/when-ready.js';
import { Callers } from '../requests/callers.js';
import { didNotHappen, faultsOfCalls, judgeCalls } from '../requests/judge.js';
import type { CallsStep, RequestsResult } from '../requests/result.js';
import { CalledService } from '../requests/service.js';
import { type Stage, say } from '../stage.js';

/** Parts of each answer in parts, one each so many ms. */
const parts = 50;
const partMs = 60;
const requestMs = 500;
const backTimeoutMs = 120_000;
const patienceMs = 60_000;
const callsTimeoutMs = 300_000;
/** The mesh's codes, and the client's own for an answer that does not come. */
const codes = new Set<string>([...Object.values(errorCodes), 'timeout']);

/**
 * Requests, and requests whose answers come in parts, are in flight while every edge is drained, so that all sessions move, and one is
 * killed. Each is answered once by one run of its handler, with every part once and in order, or fails with a documented code.
 */
export async function playRequests(stage: Stage): Promise<RequestsResult> {
  await stage.set();
  const { sessions, rate, requests, streams } = stage.options;
  const service = await CalledService.start(stage.urlFor('app-shop'), { parts, partMs, requestMs });
  stage.atEnd(() => service.close());
  const callers = new Callers(stage.mesh.gatewayUrl, sessions);
  stage.atEnd(() => callers.close());
  await callers.ready();
  say(`${sessions} clients are connected.`);
  callers.begin({ request: rate, stream: (rate * streams) / requests });
  // As many are in flight as ever will be.
  await sleep(parts * partMs);

  const calling: CallsStep[] = [];
  const step = async (name: string, take: () => Promise<unknown>, isDone = () => true): Promise<void> => {
    const before = { ...callers.counts, ...callers.inFlight };
    const beganAtMs = Date.now();
    await take();
    const isBack = await until(backTimeoutMs, 50, () => callers.connected === sessions && isDone());
    const seconds = Math.round((Date.now() - beganAtMs) / 100) / 10;
    if (!isBack) stage.fail(`${name}: not all were where they should be after ${seconds} s`);
    const moves = callers.counts.moves - before.moves;
    const disconnects = callers.counts.disconnects - before.disconnects;
    calling.push({ name, seconds, moves, disconnects, requests: before.request, streams: before.stream });
    say(`${name}: ${seconds} s, ${moves} moves, ${disconnects} disconnects`);
    if (before.stream === 0 || before.request === 0) stage.fail(`${name}: nothing was in flight`);
  };
  const { operator } = stage;
  for (const { node } of stage.mesh.edges) {
    await step(
      `drain ${node}`,
      () => whenReady(patienceMs, () => operator.drain({ node })),
      () => callers.on(node) === 0,
    );
    await whenReady(patienceMs, () => operator.uncordon({ node }));
  }
  // The last one drained is empty.
  const [first] = stage.mesh.edges as [Edge];
  await until(patienceMs, 50, () => callers.on(first.node) > 0);
  const lost = callers.on(first.node);
  await step(
    `kill -9 ${first.node}, with ${lost} sessions`,
    () => first.kill(),
    () => callers.on(first.node) === 0,
  );
  if (lost === 0) stage.fail('nobody was on the edge that was killed');
  await step(`${first.node} is back`, () => first.start());

  const { begun } = callers;
  const isEnough = await until(
    callsTimeoutMs,
    50,
    () => begun.request >= requests && begun.stream >= streams,
  );
  if (!isEnough) stage.fail(`only ${begun.request} requests and ${begun.stream} streams were begun`);
  callers.stop();
  await until(patienceMs, 50, () => callers.isQuiet);
  const judged = (kind: 'request' | 'stream') =>
    judgeCalls(callers.outcomes(kind), { parts, codes, runsOf: (name) => service.runs[name] ?? 0 });
  const result = { requests: judged('request'), streams: judged('stream') };
  for (const [what, counts] of Object.entries(result)) {
    for (const fault of [...faultsOfCalls(what, counts), ...didNotHappen(what, counts)]) stage.fail(fault);
  }
  const moved = callers.moved.size;
  if (moved < sessions) stage.fail(`${sessions - moved} sessions have not moved`);
  const held = stage.failures.length === 0;
  return { scenario: 'requests', held, failures: stage.failures, sessions, moved, calling, ...result };
}
