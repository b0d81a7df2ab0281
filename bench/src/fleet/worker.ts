import { clock } from './clock.js';
import { Delays } from './delays.js';
import { FleetClient, notingSocket, type Tally } from './fleet-client.js';
import type { FaultyClient, FleetCheck, WorkerReport, WorkerRequest } from './messages.js';

/** The child process of a fleet: holds its share of the clients and answers what the fleet asks. */

const clients = new Map<number, FleetClient>();
const tally = newTally();

const closeTimeoutMs = 3_000;
const startTickMs = 20;
const faultyKept = 100;
const missingKept = 20;

process.on('message', (request: WorkerRequest) => {
  process.send?.({ id: request.id, value: answer(request) });
});
// The fleet ends its workers by itself; Ctrl-C in a terminal reaches everyone.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));

function answer(request: WorkerRequest): unknown {
  switch (request.kind) {
    case 'start':
      start(request);
      return undefined;
    case 'report':
      return report();
    case 'check':
      return check(request.sent);
    case 'whereabouts':
      return [...clients].map(([n, { client }]) => [n, client.node ?? '']);
    case 'reset':
      reset();
      return undefined;
    case 'stop':
      void stop();
      return undefined;
  }
}

/** Clients begin evenly spread over `arriveWithinMs`. */
function start({
  gatewayUrl,
  members,
  arriveWithinMs,
  beforeMoveMs,
}: Extract<WorkerRequest, { kind: 'start' }>): void {
  const begunAtMs = clock();
  const options = { gatewayUrl, beforeMoveMs, WebSocket: notingSocket(tally.dials) };
  let next = 0;
  const timer = setInterval(() => {
    const part = arriveWithinMs === 0 ? 1 : (clock() - begunAtMs) / arriveWithinMs;
    const due = Math.min(members.length, Math.ceil(part * members.length));
    for (; next < due; next++) {
      const member = members[next];
      if (member) clients.set(member.n, new FleetClient(member, options, tally));
    }
    if (next >= members.length) clearInterval(timer);
  }, startTickMs);
}

function report(): WorkerReport {
  const perNode: Record<string, number> = {};
  const clientsByMoves: number[] = [];
  const sums = { received: 0, repeated: 0, reordered: 0, moves: 0, returns: 0 };
  for (const { client, record, moves, returns } of clients.values()) {
    if (client.state === 'connected' && client.node !== undefined) {
      perNode[client.node] = (perNode[client.node] ?? 0) + 1;
    }
    sums.received += record.received;
    sums.repeated += record.repeated;
    sums.reordered += record.reordered;
    sums.moves += moves;
    sums.returns += returns;
    clientsByMoves[moves + returns] = (clientsByMoves[moves + returns] ?? 0) + 1;
  }
  return {
    ...tally,
    ...sums,
    clients: clients.size,
    perNode,
    clientsByMoves: Array.from(clientsByMoves, (count) => count ?? 0),
    delays: tally.delays.dump(),
    delaysInMoves: tally.delaysInMoves.dump(),
    moveTimes: tally.moveTimes.dump(),
    connectTimes: tally.connectTimes.dump(),
  };
}

function check(sent: Uint32Array): FleetCheck {
  const sums = { delivered: 0, lost: 0, repeated: 0, reordered: 0 };
  const faulty: FaultyClient[] = [];
  for (const [n, { user, client, record }] of clients) {
    const { received, repeated, reordered } = record;
    const missing = received >= (sent[n] ?? 0) ? [] : record.missing(sent[n] ?? 0);
    sums.delivered += received;
    sums.lost += missing.length;
    sums.repeated += repeated;
    sums.reordered += reordered;
    if (missing.length + repeated + reordered === 0 || faulty.length >= faultyKept) continue;
    faulty.push({
      user,
      node: client.node,
      missing: missing.slice(0, missingKept),
      lost: missing.length,
      repeated,
      reordered,
    });
  }
  return { ...sums, misrouted: tally.misrouted, clients: clients.size, faulty };
}

async function stop(): Promise<void> {
  setTimeout(() => process.exit(0), closeTimeoutMs);
  await Promise.all([...clients.values()].map(({ client }) => client.close()));
  process.exit(0);
}

/** The sockets note their dials in the object that they were given: it stays. */
function reset(): void {
  const { dials } = tally;
  for (const host of Object.keys(dials)) delete dials[host];
  Object.assign(tally, newTally(), { dials });
}

function newTally(): Tally {
  return {
    misrouted: 0,
    disconnects: 0,
    closed: 0,
    connectFailures: {},
    gaps: {},
    movesFailed: {},
    dials: {},
    eventsPerNode: {},
    delays: new Delays(),
    delaysInMoves: new Delays(),
    moveTimes: new Delays(),
    connectTimes: new Delays(),
    incidents: [],
  };
}
