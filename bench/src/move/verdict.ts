import type { AllowedGaps } from './faults.js';
import { type Pace, whySlower } from './pace.js';
import type { Accounts, MoveResult } from './result.js';
import type { Exchange } from './tls.js';

/** A result that is not judged yet. */
export type Measured = Omit<MoveResult, 'failures' | 'paceLimits'>;

export interface Verdict {
  readonly failures: readonly string[];
  readonly paceLimits: readonly string[];
}

/** What of the bench's promise did not hold. */
export function judge(measured: Measured, allowed: AllowedGaps, hasTopics: boolean): Verdict {
  const failures: string[] = [];
  const fail = (is: boolean, what: string): void => {
    if (is) failures.push(what);
  };
  const { fault, sessions, controlSessions, connectedAtEnd, replays } = measured;
  const paceLimits = whySlower(measured.pace);
  fail(measured.moves === 0, 'no session was moved');
  fail(paceLimits === undefined, slower(measured.pace));
  fail(fault !== 'none' && measured.evidence === undefined, `the fault ${fault} did not happen`);
  fail(
    fault !== 'none' && measured.recoverySeconds === null,
    'not everybody was back within 60 s of the fault',
  );
  const all = sessions + controlSessions;
  fail(connectedAtEnd !== all, `${all - connectedAtEnd} of ${all} sessions were not connected in the end`);
  fail(measured.closed > 0, `${measured.closed} clients ended for good`);
  fail(measured.misrouted > 0, `${measured.misrouted} events or messages reached who should not get them`);
  fail(replays.accepted > 0, `${replays.accepted} tickets were good for a second socket`);
  // What a fault does to moves is not the exchange's.
  if (measured.tls && fault === 'none') failures.push(...judgeExchange(measured.tls));
  failures.push(...judgeAccounts('events', measured.events, allowed.events));
  if (hasTopics) failures.push(...judgeAccounts('topic messages', measured.topics, allowed.topics));
  return { failures, paceLimits: paceLimits ?? [] };
}

const slower = ({ askedPerSecond, perSecond }: Pace): string =>
  `${Math.round(perSecond)} moves a second where ${askedPerSecond} were asked for, and nothing explains it`;

/** An exchange of the certificate is to be noticed by nobody, and under load: with moves going on. */
function judgeExchange({ disconnected, movesFailed, moves }: Exchange): string[] {
  const failures: string[] = [];
  const meanwhile = 'while the certificate was exchanged';
  if (moves === 0) failures.push(`no session was moved ${meanwhile}`);
  if (disconnected > 0) failures.push(`${disconnected} sessions lost their socket ${meanwhile}`);
  if (movesFailed > 0) failures.push(`${movesFailed} moves failed ${meanwhile}`);
  return failures;
}

function judgeAccounts(what: string, of: Accounts, allowedGaps: readonly string[]): string[] {
  const failures: string[] = [];
  if (of.published === 0) failures.push(`no ${what} were published`);
  else if (of.delivered === 0) failures.push(`no ${what} were delivered`);
  if (of.failed > 0) failures.push(`${of.failed} ${what} could not be published`);
  if (of.lost > 0) failures.push(`${of.lost} ${what} were lost, and nobody told of it`);
  if (of.repeated > 0) failures.push(`${of.repeated} ${what} came twice`);
  if (of.reordered > 0) failures.push(`${of.reordered} ${what} came out of order`);
  for (const [reason, count] of Object.entries(of.gaps)) {
    if (allowedGaps.includes(reason)) continue;
    failures.push(`${count} gaps '${reason}' in ${what}, which nothing here explains`);
  }
  return failures;
}
