import { closeCodes } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { EdgeConfig } from '../config.js';
import type { Directory } from '../session/directory.js';
import type { Departures } from './departures.js';

/** Sockets closed a tick when nobody moves them. */
const closesPerTick = 25;
const tickMs = 20;

/**
 * Waits until the balancer has moved every session away. When no balancer says anything for `drainPatienceMs`, or
 * time runs out, the rest are closed with `drained`, spread over time, and resume through the gateway.
 */
export async function drain(
  config: EdgeConfig,
  directory: Directory,
  departures: Departures,
  now: () => number,
  log: Log,
): Promise<void> {
  const startedAtMs = now();
  const sockets = directory.size;
  let closed = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const nowMs = now();
      const commandedAtMs = Math.max(startedAtMs, departures.commandedAtMs);
      const isAlone = departures.counts.pending === 0 && nowMs - commandedAtMs > config.drainPatienceMs;
      const isLate = nowMs - startedAtMs > config.drainTimeoutMs;
      if (isAlone || isLate) {
        for (const session of [...directory.tracked()].slice(0, closesPerTick)) {
          session.close(closeCodes.drained);
          closed += 1;
        }
      }
      // The directory empties when the last session is settled; sockets that linger after `moved` hold nothing.
      if (directory.size === 0) {
        clearInterval(timer);
        resolve();
      }
    }, tickMs);
  });
  log.info({ sessions: sockets, closed, tookMs: now() - startedAtMs }, 'drained');
}
