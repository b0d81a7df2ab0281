import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { announce, toldOf } from './announce.js';
import { send } from './api.js';
import { type Desk, DeskContext } from './context.js';
import { Feed, type Live } from './live.js';
import { inNameOrder } from './order.js';
import type { Outcome } from './outcomes.js';
import { toneOf } from './overall.js';
import { Guarded } from './parts/guarded.js';
import { Header } from './parts/header.js';
import { Login } from './parts/login.js';
import { Notice, type Said } from './parts/notice.js';
import { Stale } from './parts/stale.js';
import { type Route, to, useRoute } from './route.js';
import { BrokerScreen } from './screens/broker.js';
import { HistoryScreen } from './screens/history.js';
import { NodeScreen } from './screens/node.js';
import { Overview } from './screens/overview.js';
import { PlanScreen } from './screens/plan.js';
import { SessionScreen } from './screens/session.js';
import { SessionsScreen, UserScreen } from './screens/sessions.js';
import type { Answer, Command, Status } from './types.js';

/** Without a newer view for so long, what is shown is stale, and says so. */
const staleAfterMs = 3_000;

export function App() {
  const [live, setLive] = useState<Live>();
  const feed = useMemo(() => new Feed(setLive), []);
  useEffect(() => {
    void feed.open();
    return () => feed.close();
  }, [feed]);
  const route = useRoute();
  const [said, say] = useState<Said>();
  const putAway = useCallback(() => say(undefined), []);
  const now = useClock();
  const act = useCallback(async (command: Command, done: (answer: Answer) => string | Outcome) => {
    try {
      const answer = await send(command);
      const how = done(answer);
      say({ ...(typeof how === 'string' ? { text: how, tone: 'good' } : how), at: Date.now() });
      return answer;
    } catch (error) {
      say({ text: error instanceof Error ? error.message : String(error), tone: 'bad', at: Date.now() });
      return undefined;
    }
  }, []);
  const status = useMemo(() => live?.status && inNameOrder(live.status), [live?.status]);
  const staleMs = staleness(live, now);
  useFocusOnTitle(route);

  if (live === undefined) return null;
  if (live.isSignedOut) return <Login onDone={() => void feed.open()} />;
  const desk: Desk = { live, canOperate: live.me?.role === 'operate', staleMs, act };
  return (
    <DeskContext.Provider value={desk}>
      <Header route={route} onSignedOut={() => void feed.open()} />
      <Stale />
      <main id="main" class={staleMs === undefined ? '' : 'is-stale'} tabIndex={-1}>
        <Guarded of={route.path.join('/')}>
          <Screen route={route} status={status} problem={live.problem} />
        </Guarded>
      </main>
      <Notice said={said} onDone={putAway} />
      <Announcer status={status} isStale={staleMs !== undefined} />
    </DeskContext.Provider>
  );
}

function Screen(props: { route: Route; status: Status | undefined; problem: string | undefined }) {
  const { status, problem } = props;
  const { path, query } = props.route;
  const [screen = '', name = ''] = path;
  switch (screen) {
    case 'sessions':
      return <SessionsScreen />;
    case 'user':
      return <UserScreen key={name} user={name} />;
    case 'session':
      return <SessionScreen key={name} session={name} />;
    case 'history':
      return <HistoryScreen />;
    case 'broker':
      return <BrokerScreen />;
    case '':
    case 'node':
    case 'plan':
      break;
    default:
      return <NoScreen name={screen} />;
  }
  if (status === undefined) {
    return (
      <h1 class="sentence" data-tone={problem === undefined ? 'busy' : 'bad'} data-testid="sentence">
        {problem ?? 'Asking the balancer…'}
      </h1>
    );
  }
  if (screen === 'node') return <NodeScreen key={name} status={status} name={name} />;
  if (screen === 'plan') return <PlanScreen status={status} drain={query.getAll('drain')} />;
  return <Overview status={status} />;
}

function NoScreen({ name }: { name: string }) {
  return (
    <>
      <h1>There is no screen '{name}'</h1>
      <p class="note">
        Its address may be of another version. Begin at <a href={to()}>Now</a>.
      </p>
    </>
  );
}

/** Undefined: what is shown is as it is. */
function staleness(live: Live | undefined, now: number): number | undefined {
  if (live?.statusMs === undefined) return undefined;
  const ageMs = now - live.statusMs + (live.status?.silentMs ?? 0);
  return ageMs > staleAfterMs ? ageMs : undefined;
}

/** Once a second, for what grows old by itself. */
function useClock(): number {
  const [now, set] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => set(performance.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return Math.max(now, performance.now());
}

/** Whoever goes to another screen by keyboard or screen reader begins at its top. */
function useFocusOnTitle({ path }: Route): void {
  const address = path.join('/');
  const before = useRef(address);
  useEffect(() => {
    if (before.current === address) return;
    before.current = address;
    scrollTo(0, 0);
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [address]);
}

/** The name of the page's tab: whoever has it in the background sees that they should look. */
function titleOf(status: Status | undefined, isStale: boolean): string {
  const isBad = status !== undefined && toneOf(status) === 'bad';
  return `${isStale ? 'Stale · ' : isBad ? 'Trouble · ' : ''}Evenkeel console`;
}

/** Says what has changed, and not each number on the way. */
function Announcer({ status, isStale }: { status: Status | undefined; isStale: boolean }) {
  const [text, set] = useState('');
  const before = useRef(toldOf(undefined, false));
  useEffect(() => {
    const told = toldOf(status, isStale);
    const sentence = announce(before.current, told);
    before.current = told;
    if (sentence !== undefined) set(sentence);
    document.title = titleOf(status, isStale);
  }, [status, isStale]);
  return (
    <p class="hidden" aria-live="polite" data-testid="announcer">
      {text}
    </p>
  );
}
