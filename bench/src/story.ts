/** `npm run story`: what this project is for, played on one machine and accounted for. */
import { endAllWatched, reportFailure } from '@evenkeel/local';
import { type FrontResult, renderFront } from './story/front/result.js';
import { help, readOptions, type ScenarioName, type StoryOptions } from './story/options.js';
import { type PresenceResult, renderPresence } from './story/presence/result.js';
import { type RecoveryResult, renderRecovery } from './story/recovery/result.js';
import { render } from './story/render.js';
import { type RequestsResult, renderRequests } from './story/requests/result.js';
import type { StoryResult } from './story/result.js';
import { playBrokers } from './story/scenarios/brokers.js';
import { playDefault } from './story/scenarios/default.js';
import { playEdgeKilled } from './story/scenarios/edge-killed.js';
import { playFront } from './story/scenarios/front.js';
import { playHerd } from './story/scenarios/herd.js';
import { playHot } from './story/scenarios/hot.js';
import { playNodeLost } from './story/scenarios/node-lost.js';
import { playPacing } from './story/scenarios/pacing.js';
import { playPresence } from './story/scenarios/presence.js';
import { playRecovery } from './story/scenarios/recovery.js';
import { playRequests } from './story/scenarios/requests.js';
import { playRolling } from './story/scenarios/rolling.js';
import { playUpgrade } from './story/scenarios/upgrade.js';
import { Stage, say } from './story/stage.js';
import { renderUpgrade, type UpgradeResult } from './story/upgrade/result.js';

type AnyResult = StoryResult | UpgradeResult | FrontResult | RecoveryResult | PresenceResult | RequestsResult;

const play: Record<ScenarioName, (stage: Stage) => Promise<AnyResult>> = {
  default: playDefault,
  rolling: playRolling,
  herd: playHerd,
  pacing: playPacing,
  hot: playHot,
  upgrade: playUpgrade,
  front: playFront,
  recovery: playRecovery,
  presence: playPresence,
  requests: playRequests,
  brokers: playBrokers,
  'node-lost': playNodeLost,
  'edge-killed': playEdgeKilled,
};

/** However a scenario hangs, it ends: after so long, and so much more for each session. */
const storyTimeout = { leastMs: 900_000, perSessionMs: 400 };
const strikeTimeoutMs = 30_000;

async function run(options: StoryOptions): Promise<number> {
  const stage = new Stage(options);
  let status = 1;
  try {
    const result = await Promise.race([play[options.scenario](stage), interrupted(), late(options)]);
    if (result === undefined) return 130;
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `\n${rendered(result)}`);
    status = result.held ? 0 : 1;
  } finally {
    await Promise.race([stage.strike(), rest(strikeTimeoutMs)]);
  }
  return status;
}

function rendered(result: AnyResult): string {
  if ('presence' in result) return renderPresence(result);
  if ('calling' in result) return renderRequests(result);
  if ('recovery' in result) return renderRecovery(result);
  if ('calls' in result) return renderUpgrade(result);
  return 'outcome' in result ? renderFront(result) : render(result);
}

function interrupted(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        say(`${signal}: stopping`);
        resolve(undefined);
      });
    }
  });
}

async function late({ sessions }: StoryOptions): Promise<never> {
  const timeoutMs = storyTimeout.leastMs + sessions * storyTimeout.perSessionMs;
  await rest(timeoutMs);
  throw new Error(`the story did not end within ${Math.round(timeoutMs / 60_000)} minutes`);
}

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

let status = 1;
try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(help);
    status = 0;
  } else status = await run(options);
} catch (error) {
  status = reportFailure(error);
}
await endAllWatched();
// What is left of an interrupted scenario must not hold the process.
process.exit(status);
