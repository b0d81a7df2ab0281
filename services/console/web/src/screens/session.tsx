import type { SessionAnswer } from '@evenkeel/protocol';
import { closeCodes } from '@evenkeel/protocol/wire';
import { count, duration, moment } from '../format.js';
import { useAnswer } from '../live.js';
import { Facts } from '../parts/facts.js';
import { KeepOut } from '../parts/keep-out.js';
import { to } from '../route.js';
import { connectedText } from './sessions.js';

const everyMs = 2_000;

/** One session: where it is, how far it is behind, and what has happened to it. */
export function SessionScreen({ session }: { session: string }) {
  const { answer, error, again } = useAnswer<SessionAnswer>(
    `/api/session/${encodeURIComponent(session)}`,
    everyMs,
  );
  if (answer === undefined) {
    return (
      <>
        <h1 class="mono">{session}</h1>
        <p class="lead">{error ?? 'Asking the nodes…'}</p>
        {error !== undefined && (
          <p class="note">
            Is it a user? <a href={to('user', session)}>Look for user {session}</a>
          </p>
        )}
      </>
    );
  }
  const now = Date.now();
  return (
    <>
      <div class="title">
        <h1 class="mono">{answer.session}</h1>
        <span class="note">
          session of <a href={to('user', answer.user)}>{answer.user}</a>
        </span>
        <KeepOut subject={{ session }} name="this session" onDone={again} />
      </div>
      {error !== undefined && <p class="trouble">{error}</p>}
      <section class="card" aria-labelledby="now-title">
        <h2 id="now-title">Now</h2>
        <Facts
          facts={[
            ['Node', <a href={to('node', answer.node)}>{answer.node}</a>],
            ['Connected', connectedText(answer, now)],
            ['Waiting in its queue', answer.queued === undefined ? 'not known' : count(answer.queued)],
            ['Not acknowledged', answer.unacked === undefined ? undefined : count(answer.unacked)],
            [
              'Last acknowledgement',
              answer.lastAckAt === undefined
                ? 'none yet'
                : `${moment(answer.lastAckAt, now)} (${duration(now - answer.lastAckAt)} ago)`,
            ],
            ['Topics', answer.topics === undefined ? undefined : count(answer.topics)],
            ['From', answer.address],
            ['Connection', answer.connection],
          ]}
        />
      </section>
      <div class="halves">
        <section class="card" aria-labelledby="past-title">
          <h2 id="past-title">What has happened to it</h2>
          {answer.history.length === 0 && <p class="note">The nodes remember nothing of it.</p>}
          <ol class="log">
            {answer.history.map(({ at, kind, node, code, reason }) => (
              <li key={`${at} ${kind} ${node}`}>
                <time dateTime={new Date(at).toISOString()}>{moment(at, now)}</time>
                <span>
                  {kind} on {node}
                  {code !== undefined && <span class="note"> {closeText(code, reason)}</span>}
                </span>
              </li>
            ))}
          </ol>
        </section>
        <section class="card" aria-labelledby="moves-title">
          <h2 id="moves-title">Moves</h2>
          {answer.moves.length === 0 && <p class="note">It has not moved.</p>}
          <ol class="log">
            {answer.moves.map(({ at, from, to: target, outcome }) => (
              <li key={`${at} ${from}`}>
                <time dateTime={new Date(at).toISOString()}>{moment(at, now)}</time>
                <span>
                  {from} → {target}
                  {outcome !== 'done' && <span class="note"> {outcome}</span>}
                </span>
              </li>
            ))}
          </ol>
        </section>
      </div>
    </>
  );
}

function closeText(code: number, reason: string | undefined): string {
  const known = Object.values(closeCodes).find((each) => each.code === code)?.reason;
  return [String(code), reason ?? known].filter(Boolean).join(' ');
}
