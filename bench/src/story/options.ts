import { brokerChoice, frontNames, parseFlags, UsageError, wholeNumber } from '@evenkeel/local';
import type { StoryFront } from './front/result.js';

const scenarios = [
  'default',
  'rolling',
  'herd',
  'pacing',
  'hot',
  'upgrade',
  'front',
  'recovery',
  'presence',
  'requests',
  'brokers',
  'node-lost',
  'edge-killed',
] as const;
export type ScenarioName = (typeof scenarios)[number];
const loads = ['connections', 'events', 'bytes', 'cpu'] as const;

export interface StoryOptions {
  readonly scenario: ScenarioName;
  readonly edges: number;
  readonly sessions: number;
  /** Events a second. */
  readonly rate: number;
  /** Moves that presence waits for. */
  readonly moves: number;
  /** Requests, and those answered in parts, that are asked at least. */
  readonly requests: number;
  readonly streams: number;
  /** Topics, half of them with many subscribers and half with one; each gets a message every four seconds. */
  readonly topics: number;
  readonly load: (typeof loads)[number];
  readonly seed: number;
  readonly broker: ReturnType<typeof brokerChoice>;
  readonly brokerImage: string | undefined;
  readonly surge: boolean;
  /** Each part of the mesh is a user of its own on the broker. */
  readonly users: boolean;
  /** The commit that is upgraded. */
  readonly from: string;
  /** What stands before the mesh; undefined: nothing is asked of it. */
  readonly front: StoryFront | undefined;
  /** Clients without the SDK, behind a front. */
  readonly bare: number;
  /** Behind the front are plain servers. */
  readonly without: boolean;
  /** Clients dial by TLS. */
  readonly tls: boolean;
  readonly json: boolean;
}

/** The clients of a fleet speak no TLS. */
const storyFronts: readonly StoryFront[] = [...frontNames.filter((name) => name !== 'nginx-tls'), 'direct'];

const defaultsOf: Record<ScenarioName, Pick<StoryOptions, 'edges' | 'sessions' | 'rate' | 'load'>> = {
  default: { edges: 2, sessions: 3_000, rate: 500, load: 'connections' },
  rolling: { edges: 4, sessions: 4_000, rate: 500, load: 'connections' },
  herd: { edges: 4, sessions: 5_000, rate: 500, load: 'connections' },
  pacing: { edges: 2, sessions: 4_000, rate: 100, load: 'connections' },
  hot: { edges: 3, sessions: 1_500, rate: 500, load: 'events' },
  upgrade: { edges: 3, sessions: 1_000, rate: 500, load: 'connections' },
  front: { edges: 2, sessions: 40, rate: 160, load: 'connections' },
  recovery: { edges: 2, sessions: 1_000, rate: 200, load: 'connections' },
  presence: { edges: 4, sessions: 300, rate: 40, load: 'connections' },
  requests: { edges: 3, sessions: 500, rate: 100, load: 'connections' },
  brokers: { edges: 3, sessions: 600, rate: 200, load: 'connections' },
  'node-lost': { edges: 3, sessions: 600, rate: 200, load: 'connections' },
  'edge-killed': { edges: 3, sessions: 5_000, rate: 1_000, load: 'connections' },
};
/** The release before this one; while there is none, the commit that stands for it. */
const releaseBefore = 'c8864aa';
/** So few that there is one of each kind of client. */
const leastOfUpgrade = 30;
/** As many as it has observers, each on one of its own. */
const edgesOfPresence = 3;
/** Of more users than these the mesh tells their number alone. */
const mostOfPresence = 900;

export const help = `npm run story -- [flags]     Runs a mesh of processes on a broker of its own, and thousands of SDK clients.

  --scenario NAME       default: a third edge joins, then the first and the second are restarted
                        rolling: every edge is restarted in turn with a new version
                        herd: all clients arrive in the same second; then an edge is killed
                        pacing: the controller against a fixed pace, on an idle and on a loaded machine
                        hot: 5 % of the users get 95 % of the events
                        upgrade: a mesh of an older commit becomes one of this commit, part after part,
                        and goes back, with clients and services of both
                        recovery: topics with history while edges are killed three times, one is drained, and the broker
                        restarts; and the same with a history that is too short
                        presence: what three observers are told of who is in a topic, against who is, while sessions move,
                        load anew and leave, one edge is drained and others are killed
                        requests: requests, and answers in parts, in flight while all sessions move and an edge is killed
                        brokers: three brokers that are one; each in turn is drained (evenkeel drain-broker) and restarted
                        node-lost: one of three brokers that are one is killed, and comes back
                        edge-killed: an edge that has all sessions is killed, while others stand by
  --edges N             edges to begin with (2; rolling, herd, presence: 4; hot, upgrade, requests, brokers, node-lost,
                        edge-killed: 3)
  --sessions N          clients (3000; rolling, pacing: 4000; herd, edge-killed: 5000; hot: 1500; upgrade, recovery: 1000;
                        presence: 300, at most 900; requests: 500; brokers, node-lost: 600)
  --rate N              numbered events a second (500; edge-killed: 1000; pacing: 100; recovery, brokers, node-lost: 200);
                        presence: moves a second (40); requests: requests a second (100)
  --moves N             presence: moves that it waits for (1000)
  --requests N, --streams N  requests: how many there are at least (10000, 1000)
  --topics N            topics that the clients subscribe, half of them with one subscriber each (40);
                        0: none
  --load MEASURE        what the balancer levels: connections, events, bytes or cpu (hot: events)
  --no-surge            rolling: without one more edge that stands in while the others restart
  --from REF            upgrade: the older commit (${releaseBefore})
  --no-users            on a broker without users of its own: all log in as the administrator
  --front NAME          a mesh behind a load balancer, every client with an address of its own: an edge joins, one is drained,
                        one is killed, each is restarted. ${storyFronts.slice(0, 5).join(', ')},
                        ${storyFronts.slice(5).join(', ')}
  --sdk N, --bare N     front: clients with the SDK (40) and without it (6)
  --without             front: plain WebSocket servers behind it instead of a mesh
  --tls                 clients dial by TLS, with an authority of the run's own; not with --front and upgrade
  --seed N              of everything that is left to chance here (1)
  --broker KIND         where the private broker comes from: auto, container or local
  --broker-image IMAGE  for a container (rabbitmq:4-management)
  --json                one JSON object on standard output, nothing else
  --help

Exit status 0 only if everything that the scenario promises held.
`;

export function readOptions(args: readonly string[]): StoryOptions | 'help' {
  const flags = parseFlags(args, {
    scenario: { type: 'string', default: 'default' },
    edges: { type: 'string' },
    sessions: { type: 'string' },
    rate: { type: 'string' },
    topics: { type: 'string', default: '40' },
    moves: { type: 'string', default: '1000' },
    requests: { type: 'string', default: '10000' },
    streams: { type: 'string', default: '1000' },
    load: { type: 'string' },
    front: { type: 'string' },
    sdk: { type: 'string' },
    bare: { type: 'string', default: '6' },
    without: { type: 'boolean', default: false },
    'no-surge': { type: 'boolean', default: false },
    'no-users': { type: 'boolean', default: false },
    from: { type: 'string', default: releaseBefore },
    tls: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    broker: { type: 'string', default: 'auto' },
    'broker-image': { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) return 'help';
  const front = flags.front === undefined ? undefined : oneOf('--front', flags.front, storyFronts);
  const scenario = front === undefined ? oneOf('--scenario', flags.scenario, scenarios) : 'front';
  if (scenario === 'front' && front === undefined)
    throw new UsageError('--front NAME says which load balancer stands before the mesh.');
  const defaults = defaultsOf[scenario];
  const number = (flag: 'edges' | 'sessions' | 'rate', maximum: number, other?: string) =>
    wholeNumber(`--${flag}`, flags[flag] ?? other ?? String(defaults[flag]), 1, maximum);
  const edges = number('edges', 50);
  if (edges < 2) throw new UsageError('--edges takes at least 2: with one there is nowhere to move to.');
  if (flags.tls && (scenario === 'front' || scenario === 'upgrade'))
    throw new UsageError(`--tls is not for ${scenario}: its clients of other kinds speak none.`);
  if (scenario === 'presence' && edges < edgesOfPresence)
    throw new UsageError(
      `--edges takes at least ${edgesOfPresence} here: each observer is on one of its own.`,
    );
  const sessions = number('sessions', scenario === 'presence' ? mostOfPresence : 50_000, flags.sdk);
  if (scenario === 'upgrade' && sessions < leastOfUpgrade)
    throw new UsageError(
      `--sessions takes at least ${leastOfUpgrade} here: there are clients of many kinds.`,
    );
  return {
    scenario,
    edges,
    sessions,
    // Behind a front each client gets four a second.
    rate: number('rate', 20_000, scenario === 'front' ? String(4 * sessions) : undefined),
    topics: scenario === 'front' ? 0 : wholeNumber('--topics', flags.topics, 0, 10_000),
    moves: wholeNumber('--moves', flags.moves, 1, 1_000_000),
    requests: wholeNumber('--requests', flags.requests, 1, 1_000_000),
    streams: wholeNumber('--streams', flags.streams, 1, 1_000_000),
    load: oneOf('--load', flags.load ?? defaults.load, loads),
    seed: wholeNumber('--seed', flags.seed, 0, 2 ** 31),
    broker: brokerChoice(flags.broker),
    brokerImage: flags['broker-image'],
    surge: !flags['no-surge'],
    users: !flags['no-users'],
    from: flags.from,
    front,
    bare: wholeNumber('--bare', flags.bare, 1, 1_000),
    without: flags.without,
    tls: flags.tls,
    json: flags.json,
  };
}

function oneOf<const Name extends string>(flag: string, text: string, names: readonly Name[]): Name {
  const name = names.find((each) => each === text);
  if (name === undefined) throw new UsageError(`${flag} takes ${names.join(', ')}, not "${text}".`);
  return name;
}
