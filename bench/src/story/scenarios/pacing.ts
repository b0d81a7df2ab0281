import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { NodeStats } from '@evenkeel/protocol';
import { until } from '../../fleet/until.js';
import { whenReady } from '../../mesh/when-ready.js';
import { round, type StoryResult, settle } from '../result.js';
import { type Stage, say } from '../stage.js';
import { type StatsWatch, watchStats } from '../stats-watch.js';

const targetP99Ms = 400;
const fixedPerSecond = 500;
const planTimeoutMs = 180_000;
const stateTimeoutMs = 10_000;

/** No limit that could be reached: the pace stays what it is. */
const never = '1000000';
const paces = {
  controller: {
    EVENKEEL_HANDSHAKE_P99_MS: String(targetP99Ms),
    EVENKEEL_START_PER_SECOND: '200',
    EVENKEEL_MAX_PER_SECOND: '2000',
    EVENKEEL_LOOP_LAG_P99_MS: '80',
  },
  fixed: {
    EVENKEEL_HANDSHAKE_P99_MS: never,
    EVENKEEL_START_PER_SECOND: String(fixedPerSecond),
    EVENKEEL_MAX_PER_SECOND: String(fixedPerSecond),
    EVENKEEL_LOOP_LAG_P99_MS: never,
  },
} as const;

interface Measured {
  readonly machine: 'idle' | 'loaded';
  readonly pace: keyof typeof paces;
  readonly moves: number;
  readonly movesPerSecond: number;
  readonly handshakeP99Ms: number;
}

/** The same moves four times: at the controller's pace and at a fixed one, with and without a CPU hog beside. */
export async function playPacing(stage: Stage): Promise<StoryResult> {
  await stage.set({ EVENKEEL_MODE: 'manual' });
  await stage.enter();
  await stage.fleet.reset();
  await stage.publish();
  const watch = await watchStats(stage.amqpUrl);
  stage.atEnd(() => watch.close());

  const measured: Measured[] = [];
  for (const machine of ['idle', 'loaded'] as const) {
    const endHogs = machine === 'loaded' ? startHogs(stage) : () => undefined;
    for (const pace of ['fixed', 'controller'] as const) {
      const result = { machine, pace, ...(await measure(stage, watch, paces[pace])) };
      measured.push(result);
      say(
        `${machine}, ${pace}: ${result.movesPerSecond} moves/s, handshake p99 ${result.handshakeP99Ms} ms (${result.moves} moves)`,
      );
    }
    endHogs();
  }
  judge(stage, measured);
  return settle(stage, { targetP99Ms, fixedPerSecond, pacing: measured });
}

function judge(stage: Stage, measured: readonly Measured[]): void {
  for (const { machine, pace, handshakeP99Ms } of measured) {
    if (pace === 'controller' && handshakeP99Ms > targetP99Ms) {
      stage.fail(`the controller let handshakes take ${handshakeP99Ms} ms (p99) on the ${machine} machine`);
    }
  }
  const onIdle = (pace: keyof typeof paces): number =>
    measured.find((each) => each.machine === 'idle' && each.pace === pace)?.movesPerSecond ?? 0;
  if (onIdle('controller') <= onIdle('fixed')) {
    stage.fail(
      `the controller made ${onIdle('controller')} moves/s on the idle machine, a fixed pace ${onIdle('fixed')}`,
    );
  }
}

/** Empties the first edge, then levels again; the moves of both. */
async function measure(
  stage: Stage,
  watch: StatsWatch,
  env: Readonly<Record<string, string>>,
): Promise<Pick<Measured, 'moves' | 'movesPerSecond' | 'handshakeP99Ms'>> {
  const { operator, mesh, options } = stage;
  const node = mesh.edges[0]?.node ?? '';
  await mesh.balancers[0]?.restart(env);
  const sessionsBecome = (count: (sessions: number) => boolean) => settled(stage, node, count);
  await sessionsBecome((sessions) => sessions > 0);
  const earlier = new Set((await endedPlans(stage)).map(({ id }) => id));
  watch.take();

  await whenReady(stateTimeoutMs, () => operator.drain({ node }));
  await sessionsBecome((sessions) => sessions === 0);
  await whenReady(stateTimeoutMs, () => operator.uncordon({ node }));
  await until(stateTimeoutMs, 200, async () => {
    // A plan is made of the reports: those of all who have moved must be in, or it levels only a part.
    const nodes = await stage.nodes();
    const sessions = nodes.reduce((sum, each) => sum + each.sessions, 0);
    return sessions === options.sessions && nodes.every(({ state }) => state === 'active');
  });
  await whenReady(stateTimeoutMs, () => operator.rebalance());
  await sessionsBecome((sessions) => sessions >= (options.sessions / options.edges) * 0.97);

  const plans = (await endedPlans(stage)).filter(({ id }) => !earlier.has(id));
  const moves = plans.reduce((sum, { done }) => sum + done, 0);
  const tookMs = plans.reduce((sum, plan) => sum + plan.tookMs, 0);
  return {
    moves,
    movesPerSecond: round(moves / (tookMs / 1_000)),
    handshakeP99Ms: round(p99Of(watch.take())),
  };
}

/** Waits until no plan runs and the sessions of the node are as they should be. */
async function settled(stage: Stage, node: string, isRight: (sessions: number) => boolean): Promise<void> {
  const isSettled = await until(planTimeoutMs, 200, async () => {
    const status = await stage.operator.status().catch(() => undefined);
    const sessions = status?.nodes.find((each) => each.node === node)?.sessions;
    return sessions !== undefined && !status?.plan && isRight(sessions);
  });
  if (!isSettled) throw new Error(`${node} was not as it should be after ${planTimeoutMs / 1_000} s`);
}

async function endedPlans({ operator }: Stage): Promise<{ id: string; done: number; tookMs: number }[]> {
  const { history = [] } = await operator.status();
  return history.map(({ id, done = 0, startedAt, endedAt }) => ({
    id: id ?? '',
    done,
    tookMs: Number(endedAt) - Number(startedAt),
  }));
}

/**
 * The least time that 99 of 100 handshakes kept, as far as the reports tell: each names the p99 of its second and how
 * many there were, so the true one is not higher.
 */
function p99Of(reports: readonly NodeStats[]): number {
  const busy = reports
    .filter(({ handshakesPerSecond }) => handshakesPerSecond > 0)
    .sort((a, b) => b.handshakeP99Ms - a.handshakeP99Ms);
  let allowed = busy.reduce((sum, { handshakesPerSecond }) => sum + handshakesPerSecond, 0) * 0.01;
  for (const { handshakeP99Ms, handshakesPerSecond } of busy) {
    allowed -= handshakesPerSecond;
    if (allowed < 0) return handshakeP99Ms;
  }
  return 0;
}

/** One hog for every two cores; returns how to end them. */
function startHogs(stage: Stage): () => void {
  const path = fileURLToPath(new URL('../hog.js', import.meta.url));
  const count = Math.max(1, Math.floor(availableParallelism() / 2));
  const hogs = Array.from({ length: count }, () => fork(path, [], { stdio: ['ignore', 2, 2, 'ipc'] }));
  const end = (): void => {
    for (const hog of hogs) hog.kill('SIGKILL');
  };
  stage.atEnd(async () => end());
  return end;
}
