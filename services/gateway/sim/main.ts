import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loseCell } from './lost-cell.js';
import { nameOf, readMap, SimCell, seeded } from './world.js';

const usage = `npm run sim:gateway -- [--cells N] [--sessions N] [--edges N] [--down SECONDS] [--seed N] [--json]
One gateway over so many cells with so many sessions and edges each: what the map and placing cost, and what a lost cell means.`;

function read() {
  try {
    return parseArgs({
      options: {
        cells: { type: 'string', default: '100' },
        sessions: { type: 'string', default: '100000' },
        edges: { type: 'string', default: '10' },
        down: { type: 'string', default: '120' },
        seed: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}\n`);
    process.exit(2);
  }
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  process.stderr.write(`--${name} is ${text}; give a whole number of at least 1\n${usage}\n`);
  process.exit(2);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapMb = (): number => {
  collect();
  return process.memoryUsage().heapUsed / 1_048_576;
};
/** Processor time of this process: others may use the machine too. */
const processorMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** Placements that are timed, and so many a second of simulated time in each cell. */
const timed = 400_000;
const perSecondAndCell = 100;

const values = read();
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
const cells = whole('cells', values.cells);
const sessions = whole('sessions', values.sessions);
const edges = whole('edges', values.edges);
const downS = whole('down', values.down);
const seed = whole('seed', values.seed);

// The map: memory, how even it is, and how long it takes to find a user's cell.
const beforeMb = heapMb();
const map = readMap(cells);
const mapMb = heapMb() - beforeMb;
const users = cells * sessions;
const counts = new Map<string, number>();
const lookBegan = processorMs();
for (let n = 0; n < users; n++) {
  const home = map.homeOf(`user-${n}`);
  counts.set(home, (counts.get(home) ?? 0) + 1);
}
const lookupMs = processorMs() - lookBegan;

// Placement over all cells, each with its edges heard once a second.
const placersBefore = heapMb();
const random = seeded(seed);
const all = new Map(
  Array.from({ length: cells }, (_, n) => [nameOf(n), new SimCell(nameOf(n), edges, random)]),
);
let hearMs = 0;
let placeMs = 0;
let placed = 0;
let seconds = 0;
for (let nowMs = 0, user = 0; user < timed; nowMs += 1_000, seconds++) {
  let began = processorMs();
  for (const cell of all.values()) cell.report(nowMs);
  hearMs += processorMs() - began;
  began = processorMs();
  for (let n = 0; n < perSecondAndCell * cells && user < timed; n++, user++) {
    const cell = all.get(map.homeOf(`user-${user}`));
    const at = nowMs + (n / (perSecondAndCell * cells)) * 1_000;
    const outcome = cell?.placer.place({ uid: `user-${user}`, sid: `s${user}` }, at);
    if (outcome?.kind !== 'placed') continue;
    placed += 1;
    cell?.arrive(outcome.node);
  }
  placeMs += processorMs() - began;
}
const placersMb = heapMb() - placersBefore;

const result = {
  cells,
  // Held until here: what it takes has been looked at.
  edges: [...all.values()].reduce((sum, cell) => sum + cell.edges.length, 0),
  users,
  mapKb: Math.max(0, Math.round(mapMb * 1024)),
  lookupsPerSecond: Math.round(users / (lookupMs / 1_000)),
  fullestOverMean: rounded(Math.max(...counts.values()) / (users / cells), 4),
  placed,
  placementsPerSecond: Math.round(placed / (placeMs / 1_000)),
  hearMsPerSecond: rounded(hearMs / seconds),
  placersMb: rounded(placersMb, 1),
  ...loseCell({ sessions, edges, downS }, seed),
};
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else
  for (const [key, value] of Object.entries(result)) process.stdout.write(`  ${key.padEnd(20)} ${value}\n`);
