import { LogLimit } from '@evenkeel/pace';
import type { Log } from '@evenkeel/runtime';

/** How often it is said that forged tickets come, ms. */
const everyMs = 10_000;

/**
 * Says that tickets come which nobody with this edge's secret has signed: an attack, or a gateway with another secret, which would
 * turn all its clients away here. The returned function takes the code of each refusal.
 */
export function forgedTicketLog(log: Pick<Log, 'warn'>): (code: string) => void {
  const limit = new LogLimit(everyMs);
  return (code) => {
    if (code !== 'ticket-forged') return;
    const suppressed = limit.pass(performance.now());
    if (suppressed === undefined) return;
    log.warn(
      { suppressed },
      'a ticket was refused: it was not signed with this edge’s EVENKEEL_SECRET; do all gateways and edges have the same?',
    );
  };
}
