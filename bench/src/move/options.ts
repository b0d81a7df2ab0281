import { parseArgs } from 'node:util';

export const faults = [
  'none',
  'kill-source',
  'kill-target',
  'freeze-source',
  'drop-old-socket',
  'slow-client',
  'broker-connection-drop',
  'balancer-killed',
  'replay-ticket',
] as const;
export type Fault = (typeof faults)[number];

/** Moves asked for and not finished, a client process: what paces the mover when the mesh is slower than asked. */
export const maxUnderWay = 120;

export interface MoveOptions {
  /** Sessions that are moved again and again. */
  sessions: number;
  /** Sessions beside them that are never moved. */
  control: number;
  edges: number;
  /** Events published a second, to random users of both groups. */
  rate: number;
  seconds: number;
  /** Seconds of traffic and moves before pace and delays are measured. */
  warmup: number;
  /** Ends earlier once so many events were delivered; 0: never. */
  deliveries: number;
  movesPerSecond: number;
  fault: Fault;
  workers: number;
  seed: number;
  /** Events survive a restart of the broker. */
  persistent: boolean;
  json: boolean;
  broker: 'auto' | 'container' | 'local';
  /** Where the result is written as well. */
  out: string | undefined;
}

export const usage = `npm run bench:move -- [options]
  --sessions N          sessions that are moved again and again (5000)
  --control N           sessions that are never moved (sessions / 20)
  --edges N             edges (3)
  --rate N              events published a second (2000)
  --seconds N           how long (60)
  --warmup N            seconds of the same before that; they count for what is lost, repeated or out of
                        order, but not for delays and pace (10)
  --deliveries N        or until so many events were delivered
  --moves-per-second N  moves asked for a second (2000); when that is more than the mesh carries it is paced
                        by what it has finished: ${maxUnderWay} at most are under way, a process
  --fault NAME          ${faults.join(', ')}
  --workers N           client processes (1)
  --persistent          events survive a restart of the broker, which doubles what they cost it
  --seed N              of the choice of users (1)
  --broker KIND         auto, container, local (auto)
  --out FILE            write the result there too
  --json                the result as one JSON object, alone on standard output`;

/** @throws Error with a message that says what to do. */
export function readOptions(args: string[]): MoveOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      sessions: { type: 'string', default: '5000' },
      control: { type: 'string' },
      edges: { type: 'string', default: '3' },
      rate: { type: 'string', default: '2000' },
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
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const whole = (name: string, text: string, least: number) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) {
      throw new Error(`--${name} takes a whole number of at least ${least}, not '${text}'`);
    }
    return value;
  };
  const sessions = whole('sessions', values.sessions, 1);
  const fault = faults.find((name) => name === values.fault);
  if (!fault) throw new Error(`--fault is one of ${faults.join(', ')}, not '${values.fault}'`);
  const broker = (['auto', 'container', 'local'] as const).find((kind) => kind === values.broker);
  if (!broker) throw new Error(`--broker is auto, container or local, not '${values.broker}'`);
  return {
    sessions,
    control:
      values.control === undefined
        ? Math.max(1, Math.round(sessions / 20))
        : whole('control', values.control, 1),
    edges: whole('edges', values.edges, 2),
    rate: whole('rate', values.rate, 1),
    seconds: whole('seconds', values.seconds, 1),
    deliveries: whole('deliveries', values.deliveries, 0),
    movesPerSecond: whole('moves-per-second', values['moves-per-second'], 1),
    fault,
    workers: whole('workers', values.workers, 1),
    warmup: whole('warmup', values.warmup, 0),
    seed: whole('seed', values.seed, 0),
    persistent: values.persistent,
    json: values.json,
    broker,
    out: values.out,
  };
}
