import type { SessionsAnswer, SessionView } from '@evenkeel/protocol';
import { useState } from 'preact/hooks';
import { count, counted, moment } from '../format.js';
import { useAnswer } from '../live.js';
import { KeepOut } from '../parts/keep-out.js';
import { Scroll } from '../parts/scroll.js';
import { go, to } from '../route.js';

const everyMs = 3_000;
/** Ids of sessions, as the mesh makes them; with the user in front too. */
const looksLikeSession = (text: string): boolean => /^([\w~-]+[.])?[\w-]{22}$/.test(text);

/** Looks for a user or a session. */
export function SessionsScreen() {
  const [text, set] = useState('');
  return (
    <>
      <h1>Find a user or a session</h1>
      <form
        class="card search"
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = text.trim();
          if (wanted !== '') go(to(looksLikeSession(wanted) ? 'session' : 'user', wanted));
        }}
      >
        <label for="who">User id, or session id</label>
        <div class="row">
          <input
            id="who"
            type="search"
            autocomplete="off"
            spellcheck={false}
            value={text}
            onInput={({ currentTarget }) => set(currentTarget.value)}
          />
          <button type="submit" class="primary" data-testid="find">
            Find
          </button>
        </div>
        <p class="note">A session id has 22 characters; everything else is taken for a user id.</p>
      </form>
    </>
  );
}

/** All sessions of a user. */
export function UserScreen({ user }: { user: string }) {
  const { answer, error, again } = useAnswer<SessionsAnswer>(
    `/api/user/${encodeURIComponent(user)}`,
    everyMs,
  );
  const sessions = answer?.sessions;
  const missing = answer?.missing ?? [];
  return (
    <>
      <div class="title">
        <h1>{user}</h1>
        <span class="note">user</span>
        <KeepOut subject={{ user }} name={user} onDone={again} />
      </div>
      {error !== undefined && <p class="trouble">{error}</p>}
      {missing.length > 0 && (
        <p class="trouble">
          {counted(missing.length, 'node')} did not answer ({missing.slice(0, 5).join(', ')}): there may be
          more sessions.
        </p>
      )}
      <section class="card" aria-labelledby="sessions-title">
        <h2 id="sessions-title">
          {sessions === undefined ? 'Sessions' : counted(sessions.length, 'session')}
        </h2>
        {sessions?.length === 0 && <p class="lead">No session: {user} is not connected and nothing waits.</p>}
        {sessions !== undefined && sessions.length > 0 && <SessionTable sessions={sessions} />}
      </section>
      {sessions?.length === 0 && (
        <p class="note">
          Is it the id of a session? <a href={to('session', user)}>Look for session {user}</a>
        </p>
      )}
    </>
  );
}

function SessionTable({ sessions }: { sessions: readonly SessionView[] }) {
  const now = Date.now();
  return (
    <Scroll name="Table of sessions">
      <table>
        <thead>
          <tr>
            <th scope="col">Session</th>
            <th scope="col">Node</th>
            <th scope="col">Connected</th>
            <th scope="col" class="number">
              Queued
            </th>
            <th scope="col" class="number">
              Not acknowledged
            </th>
            <th scope="col">Last ack</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((each) => (
            <tr key={each.session}>
              <th scope="row">
                <a class="mono" href={to('session', each.session)}>
                  {each.session}
                </a>
              </th>
              <td>
                <a href={to('node', each.node)}>{each.node}</a>
              </td>
              <td>{connectedText(each, now)}</td>
              <td class="number">{each.queued === undefined ? '–' : count(each.queued)}</td>
              <td class="number">{each.unacked === undefined ? '–' : count(each.unacked)}</td>
              <td>{each.lastAckAt === undefined ? 'never' : moment(each.lastAckAt, now)}</td>
              <td>{each.address ?? '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

export function connectedText({ isAttached, since }: SessionView, now: number): string {
  const when = since === undefined ? '' : ` since ${moment(since, now)}`;
  return isAttached === false ? `no${when}` : `yes${when}`;
}
