import { brokerChoice, parseFlags, UsageError, wholeNumber } from '@evenkeel/local';
import { clientFaults } from '../fleet/messages.js';
import { maxUnderWay } from '../fleet/mover.js';

const faults = [
  'none',
  'kill-source',
  'kill-target',
  'freeze-source',
  ...clientFaults,
  'broker-connection-drop',
  'balancer-killed',
] as const;
export type Fault = (typeof faults)[number];

export interface MoveOptions {
  /** Sessions that are moved again and again. */
  readonly sessions: number;
  /** Sessions beside them that are never moved. */
  readonly control: number;
  readonly edges: number;
  /** Events published a second, to random users of both groups. */
  readonly rate: number;
  /** Topics that the sessions subscribe; 0: none. */
  readonly topics: number;
  /** Messages published a second over all topics. */
  readonly topicRate: number;
  readonly seconds: number;
  /** Seconds of traffic and moves before pace and delays are measured. */
  readonly warmup: number;
  /** Ends earlier once so many events were delivered; 0: never. */
  readonly deliveries: number;
  readonly movesPerSecond: number;
  readonly fault: Fault;
  readonly workers: number;
  readonly seed: number;
  /** Events survive a restart of the broker. */
  readonly persistent: boolean;
  /** Events are plain AMQP, every other one without a `message_id`; else the publisher's SDK sends them. */
  readonly bare: boolean;
  /** Clients dial by TLS, and the certificate is exchanged half-way. The same without TLS comes first, for what it costs. */
  readonly tls: boolean;
  readonly json: boolean;
  readonly broker: ReturnType<typeof brokerChoice>;
  /** Where the result is written as well. */
  readonly out: string | undefined;
}

export const usage = `npm run bench:move -- [flags]

Moves sessions round and round under traffic, and accounts for every event and every topic message.

  --sessions N          sessions that are moved again and again (5000)
  --control N           sessions that are never moved (sessions / 20)
  --edges N             edges (3)
  --rate N              events published a second (2000)
  --topics N            topics that the sessions subscribe (200, or as many as sessions): half of them are shared by all, of the other
                        half each has one session, so that it goes from edge to edge with it
  --topic-rate N        messages published to them a second (20), every other one without a message_id
  --no-topics           the same as --topics 0
  --seconds N           how long (60)
  --warmup N            seconds of the same before that; they count for what is lost, repeated or out of
                        order, but not for delays and pace (10)
  --deliveries N        or until so many events were delivered
  --moves-per-second N  moves asked for a second (2000); when that is more than the mesh carries it is paced
                        by what it has finished: ${maxUnderWay} at most are under way, a process
  --fault NAME          ${faults.slice(0, 5).join(', ')},
                        ${faults.slice(5).join(', ')}
  --workers N           client processes (1)
  --persistent          events survive a restart of the broker, which doubles what they cost it
  --bare                events are plain AMQP, every other one without a message_id, not from the publisher's SDK
  --tls                 wss and https with an authority of the run's own; the certificate is exchanged half-way. The same
                        without TLS is run first, and what TLS costs printed
  --seed N              of the choice of users and topics (1)
  --broker KIND         auto, container or local (auto)
  --out FILE            write the result there too
  --json                the result as one JSON object, alone on standard output
  --help

Exit status 0 only if sessions were moved, at the pace asked for or with the reason why not; the fault happened;
everybody was connected in the end; and everything published was delivered once and in order, or is covered by
a gap that the fault explains.
`;

/** @throws UsageError */
export function readOptions(args: readonly string[]): MoveOptions | 'help' {
  const flags = parseFlags(args, {
    sessions: { type: 'string', default: '5000' },
    control: { type: 'string' },
    edges: { type: 'string', default: '3' },
    rate: { type: 'string', default: '2000' },
    topics: { type: 'string' },
    'topic-rate': { type: 'string', default: '20' },
    'no-topics': { type: 'boolean', default: false },
    seconds: { type: 'string', default: '60' },
    deliveries: { type: 'string', default: '0' },
    'moves-per-second': { type: 'string', default: '2000' },
    fault: { type: 'string', default: 'none' },
    workers: { type: 'string', default: '1' },
    warmup: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    broker: { type: 'string', default: 'auto' },
    out: { type: 'string' },
    persistent: { type: 'boolean', default: false },
    bare: { type: 'boolean', default: false },
    tls: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) return 'help';
  const sessions = wholeNumber('--sessions', flags.sessions, 1, 100_000);
  const fault = faults.find((name) => name === flags.fault);
  if (!fault) throw new UsageError(`--fault takes ${faults.join(', ')}, not "${flags.fault}".`);
  const control =
    flags.control === undefined
      ? Math.max(1, Math.round(sessions / 20))
      : wholeNumber('--control', flags.control, 1, 100_000);
  // No more than there are sessions to subscribe them.
  const topicsByDefault = Math.min(200, sessions + control);
  const topics = flags['no-topics']
    ? 0
    : wholeNumber('--topics', flags.topics ?? String(topicsByDefault), 0, 10_000);
  return {
    sessions,
    control,
    edges: wholeNumber('--edges', flags.edges, 2, 50),
    rate: wholeNumber('--rate', flags.rate, 1, 100_000),
    topics,
    topicRate: wholeNumber('--topic-rate', flags['topic-rate'], 1, 100_000),
    seconds: wholeNumber('--seconds', flags.seconds, 1, 86_400),
    deliveries: wholeNumber('--deliveries', flags.deliveries, 0, 1_000_000_000),
    movesPerSecond: wholeNumber('--moves-per-second', flags['moves-per-second'], 1, 100_000),
    fault,
    workers: wholeNumber('--workers', flags.workers, 1, 64),
    warmup: wholeNumber('--warmup', flags.warmup, 0, 3_600),
    seed: wholeNumber('--seed', flags.seed, 0, 2 ** 31),
    persistent: flags.persistent,
    bare: flags.bare,
    tls: flags.tls,
    json: flags.json,
    broker: brokerChoice(flags.broker),
    out: flags.out,
  };
}

/** The options that are not as they are without any flag. */
export function differingFrom(defaults: MoveOptions, options: MoveOptions): string[] {
  return Object.entries(options)
    .filter(
      ([name, value]) => value !== defaults[name as keyof MoveOptions] && name !== 'json' && name !== 'out',
    )
    .map(([name, value]) => `${name} ${value}`);
}
