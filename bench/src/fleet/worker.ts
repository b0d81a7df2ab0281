import { Broker, userOf } from '@evenkeel/broker';
import { connect } from '@evenkeel/client';
import { Crowd } from './crowd.js';
import { disturb } from './disturb.js';
import {
  type DelayKind,
  delayKinds,
  type FromWorker,
  type WorkerReport,
  type WorkerRequest,
} from './messages.js';
import { Mover } from './mover.js';

/** The child process of a fleet: holds its share of the clients and answers what the fleet asks. */

const progressEveryMs = 100;
const closeTimeoutMs = 3_000;

const crowd = new Crowd();
const { tally } = crowd;
let broker: Broker | undefined;
let mover: Mover | undefined;
let stopDisturbing: (() => void) | undefined;

const say = (message: FromWorker): void => void process.send?.(message);

process.on('message', async (request: WorkerRequest) => {
  say({ id: request.id, value: await answer(request) });
});
// The fleet ends its workers by itself; Ctrl-C in a terminal reaches everyone.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));

setInterval(() => {
  const { connected, delivered, topicsDelivered, moves } = tally;
  say({ progress: { connected, delivered, topicsDelivered, moves } });
}, progressEveryMs);

async function answer(request: WorkerRequest): Promise<unknown> {
  switch (request.kind) {
    case 'start':
      if (request.mover) {
        broker = await Broker.connect({ url: request.mover.amqpUrl, name: 'fleet mover', attempts: 3 });
        const { amqpUrl, edges } = request.mover;
        mover = new Mover(crowd.clients, tally, edges, broker.publisher(), userOf(amqpUrl));
      }
      crowd.start(request, request.sdk === undefined ? connect : await connectOf(request.sdk));
      return undefined;
    case 'report':
      return report();
    case 'check':
      return crowd.check(request.sent, request.topicsSent, request.failures);
    case 'move':
      mover?.pace(request.pace);
      return undefined;
    case 'disturb':
      stopDisturbing?.();
      stopDisturbing = request.fault === undefined ? undefined : disturb(crowd, request.fault);
      return undefined;
    case 'whereabouts':
      return crowd.whereabouts();
    case 'changes':
      return crowd.changes();
    case 'losses':
      return crowd.losses();
    case 'control':
      crowd.control(request.clients);
      return undefined;
    case 'reset':
      crowd.reset();
      mover?.resetCounts();
      return undefined;
    case 'stop':
      void stop();
      return undefined;
  }
}

/** Another version's; what it takes and gives is what ours does, or it could not be compared. */
async function connectOf(sdk: string): Promise<typeof connect> {
  return ((await import(sdk)) as { connect: typeof connect }).connect;
}

function report(): WorkerReport {
  const clientsByMoves: number[] = [];
  const sums = { received: 0, repeated: 0, reordered: 0, returns: 0 };
  let minMoves = Number.POSITIVE_INFINITY;
  for (const { record, moves, returns, isControl } of crowd.clients) {
    sums.received += record.received;
    sums.repeated += record.repeated;
    sums.reordered += record.reordered;
    sums.returns += returns;
    if (!isControl) minMoves = Math.min(minMoves, moves);
    clientsByMoves[moves + returns] = (clientsByMoves[moves + returns] ?? 0) + 1;
  }
  const { disconnects, closed, misrouted, repeatedOnWire, socketlessMaxMs, moves } = tally;
  const { connectFailures, gaps, topicGaps, movesFailed, eventsPerNode, dials } = tally;
  const { disturbances, incidents } = tally;
  const delays = Object.fromEntries(delayKinds.map((kind) => [kind, tally.delays[kind].dump()]));
  return {
    ...sums,
    ...{ disconnects, closed, misrouted, repeatedOnWire, socketlessMaxMs, moves },
    ...{ connectFailures, gaps, topicGaps, movesFailed, eventsPerNode, dials },
    ...{ disturbances, incidents, minMoves },
    clients: crowd.clients.length,
    perNode: crowd.perNode(),
    clientsByMoves: Array.from(clientsByMoves, (count) => count ?? 0),
    delays: delays as Record<DelayKind, string>,
    mover: mover?.counts ?? { turnsDue: 0, turnsAtLimit: 0, turnsNobodyFree: 0, leftOut: 0, asked: 0 },
  };
}

async function stop(): Promise<void> {
  setTimeout(() => process.exit(0), closeTimeoutMs);
  mover?.pace({ perSecond: 0 });
  await Promise.all([crowd.close(), broker?.close()]);
  process.exit(0);
}
