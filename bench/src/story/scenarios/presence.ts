import { setTimeout as sleep } from 'node:timers/promises';
import type { Edge } from '@evenkeel/local';
import { clock } from '../../fleet/clock.js';
import { until } from '../../fleet/until.js';
import { whenReady } from '../../mesh/when-ready.js';
import { didNotHappen, judgeNews, type Kill } from '../presence/judge.js';
import { waysToLeave } from '../presence/page.js';
import { faultsOfObserver, type ObserverOutcome, type PresenceResult } from '../presence/result.js';
import { lateMs, observerCount, Theatre, topic } from '../presence/theatre.js';
import { type Stage, say } from '../stage.js';

const [namespace = ''] = topic.split('.');
const namespaces = { [namespace]: { subscribe: 'anyone', presence: true } };
/** A view is right again so long after a kill, ms. */
const killLimitMs = 10_000;
/** An edge that is silent is waited for at least so long: 5 s from its last sign of life, which comes each second. */
const silenceMs = 3_500;
/** Sessions of a killed edge that do not come back: one of so many. */
const goneOneOf = 3;
const enterPerSecond = 40;
const reloadPerSecond = 10;
const reloadPart = 1 / 3;
const leavePart = 1 / 10;
const movesTimeoutMs = 180_000;
const patienceMs = 60_000;
/** What is false comes late. */
const quietMs = 4_000;

/**
 * Three observers, each on an edge of its own, of one topic that a few hundred sessions are in, while these are moved, drained, loaded
 * anew, leave, and have their edges killed. Each observer is told of every coming and going, once and in time, and of nothing else.
 */
export async function playPresence(stage: Stage): Promise<PresenceResult> {
  const { options } = stage;
  await stage.set({ EVENKEEL_NAMESPACES: JSON.stringify({ namespaces }), EVENKEEL_MODE: 'manual' });
  const theatre = new Theatre(stage);
  const { doings } = theatre;
  await theatre.open();
  await theatre.place();
  await theatre.settle('observers');

  await entering(theatre, options.sessions);
  await theatre.settle('members join');

  await moving(stage, theatre);
  await theatre.settle('moves, and some come and go');

  await drained(stage, theatre);
  await theatre.settle('an edge is drained');
  await theatre.place();

  const reloads = Math.ceil(theatre.pages.length * reloadPart);
  await paced(reloads, reloadPerSecond, (n) => theatre.pages.filter(({ isCalm }) => isCalm)[n]?.reload());
  await theatre.back();
  await theatre.settle('reloads', { quietMs });

  const leaves = Math.ceil((theatre.pages.length * leavePart) / waysToLeave.length);
  await paced(leaves * waysToLeave.length, enterPerSecond, (n) =>
    theatre.leave(waysToLeave[n % waysToLeave.length] as (typeof waysToLeave)[number]),
  );
  await theatre.settle('leaves');

  const kills: Kill[] = [];
  const { edges } = stage.mesh;
  if (edges.length > observerCount) kills.push(await killed(theatre, edges.at(-1) as Edge));
  await theatre.place();
  kills.push(await killed(theatre, edges[observerCount - 1] as Edge));
  await theatre.place();
  await theatre.settle('the end', { quietMs });

  const endMs = clock();
  const lives = theatre.truth.lives();
  const observers = theatre.observers.map(
    ({ name, nodes, news }): ObserverOutcome => ({
      name,
      nodes,
      news: news.length,
      ...judgeNews(news, lives, endMs, lateMs),
    }),
  );
  const { moves, reloads: reloaded, reloadsInTime } = doings;
  const happened = { moves, reloads: reloaded, reloadsInTime, leaves: doings.leaves, kills };
  const { observersOn } = theatre;
  for (const fault of observers.flatMap(faultsOfObserver)) stage.fail(fault);
  for (const what of didNotHappen({ ...happened, movesWanted: options.moves, observersOn })) stage.fail(what);
  return {
    scenario: 'presence',
    held: stage.failures.length === 0,
    failures: stage.failures,
    presence: theatre.steps,
    observers,
    ...happened,
  };
}

async function entering(theatre: Theatre, sessions: number): Promise<void> {
  const entered: Promise<void>[] = [];
  while (theatre.pages.length < sessions) {
    entered.push(...theatre.enter().map((page) => page.ready()));
    await sleep(1_000 / enterPerSecond);
  }
  await Promise.all(entered);
}

/** Until as many moves are done as are wanted; each second one user comes, and one session goes. */
async function moving(stage: Stage, theatre: Theatre): Promise<void> {
  const { rate, moves: wanted } = stage.options;
  const { doings } = theatre;
  theatre.move(rate);
  let turns = 0;
  const come = setInterval(() => {
    theatre.enter();
    theatre.leave(waysToLeave[turns % waysToLeave.length] as (typeof waysToLeave)[number]);
    turns += 1;
  }, 1_000);
  stage.atEnd(async () => clearInterval(come));
  await until(movesTimeoutMs, 50, () => doings.moves >= wanted);
  clearInterval(come);
  theatre.move(0);
  await until(patienceMs, 50, () => doings.movesUnderWay === 0);
  say(`${doings.moves} moves`);
}

async function drained({ operator, mesh }: Stage, theatre: Theatre): Promise<void> {
  const [{ node }] = mesh.edges as [Edge];
  await whenReady(patienceMs, () => operator.drain({ node }));
  await until(patienceMs, 50, () => theatre.on(node).length === 0);
  await whenReady(patienceMs, () => operator.uncordon({ node }));
}

/** One of its sessions in three does not come back; the others do, elsewhere. */
async function killed(theatre: Theatre, edge: Edge): Promise<Kill> {
  const { node } = edge;
  const members = theatre.on(node);
  const observers = new Set(theatre.observers.map(({ page }) => page));
  const gone = members.filter((page, n) => n % goneOneOf === 0 && !observers.has(page));
  const staying = members.filter((page) => !gone.includes(page));
  const sinceMs = clock();
  for (const page of gone) {
    page.edgeDies(false, 0, sinceMs + killLimitMs);
    theatre.forget(page);
  }
  for (const page of staying) page.edgeDies(true, silenceMs, 0);
  await edge.kill();
  await theatre.back();
  await theatre.settle(`kill -9 ${node}`, { sinceMs, withinMs: killLimitMs });
  const returned = staying.filter(({ cameBack }) => cameBack === true).length;
  await edge.start();
  // What dies before it has heard of it, it can tell nobody of.
  await theatre.settle(`${node} is back`, { quietMs });
  return { node, members: members.length, returned, late: staying.length - returned, gone: gone.length };
}

/** Calls `take` so often, at this pace. */
async function paced(times: number, perSecond: number, take: (n: number) => void): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    take(n);
    await sleep(1_000 / perSecond);
  }
}
