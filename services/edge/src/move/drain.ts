import { closeCodes } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { EdgeConfig } from '../config.js';
import type { Directory } from '../session/directory.js';
import type { Session } from '../session/session.js';
import type { MoveLedger } from './ledger.js';

/** Connections closed a tick when nobody moves them. */
const closesPerTick = 25;
const tickMs = 20;

export interface DrainOptions {
  config: Pick<EdgeConfig, 'drainPatienceMs' | 'drainTimeoutMs'>;
  directory: Pick<Directory<Pick<Session, 'key' | 'claims' | 'close'>>, 'size' | 'tracked'>;
  ledger: Pick<MoveLedger, 'pending' | 'commandedAtMs'>;
  now(): number;
  log: Pick<Log, 'info'>;
}

/**
 * Waits until the balancer has moved every session away. When no balancer says anything for `drainPatienceMs`, or
 * time runs out, the rest are closed with `drained`, spread over time, and resume through the gateway.
 */
export async function drain({ config, directory, ledger, now, log }: DrainOptions): Promise<void> {
  const startedAtMs = now();
  const sessions = directory.size;
  let closed = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const nowMs = now();
      const commandedAtMs = Math.max(startedAtMs, ledger.commandedAtMs);
      const isAlone = ledger.pending === 0 && nowMs - commandedAtMs > config.drainPatienceMs;
      const isLate = nowMs - startedAtMs > config.drainTimeoutMs;
      if (isAlone || isLate) {
        for (const session of [...directory.tracked()].slice(0, closesPerTick)) {
          session.close(closeCodes.drained);
          closed += 1;
        }
      }
      // The directory empties when the last session is settled; connections that linger after `moved` hold nothing.
      if (directory.size === 0) {
        clearInterval(timer);
        resolve();
      }
    }, tickMs);
  });
  log.info({ sessions, closed, tookMs: now() - startedAtMs }, 'drained');
}
