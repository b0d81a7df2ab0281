// Sessions on any node: the same test on each system; docs/sessions.md says what it asks. Prints a line a run and
// writes bench/results/sessions.json, of which `npm run bench:figures` makes the table.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from '@evenkeel/local';

const here = import.meta.dirname;
const root = join(here, '..', '..');
const users = Array.from({ length: 20 }, (_, n) => `user-${n + 1}`);
const everyMs = 100;
const beforeMs = 2_000;
const downMs = 2_000;
const afterMs = 2_000;
const backWithinMs = 30_000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

if (!existsSync(join(here, 'node_modules'))) {
  console.error('Installing what bench/sessions compares with (npm ci): it is no part of the workspaces.');
  execFileSync('npm', ['ci', '--loglevel=error'], { cwd: here, stdio: 'inherit' });
}
const { startEvenkeel } = await import('./systems/evenkeel.mjs');
const { startExpress } = await import('./systems/express.mjs');
const { startSocketIo } = await import('./systems/socket-io.mjs');
const systems = [startEvenkeel, () => startSocketIo('redis'), () => startSocketIo('streams'), startExpress];
/** The node is stopped in order, or killed. */
const restarts = { planned: 'SIGTERM', crash: 'SIGKILL' };

/** One client, and what became of it. */
class Witness {
  received = [];
  disconnects = 0;
  told = 0;
  backs = [];

  async connect(system, user) {
    const client = await system.connect(user, {
      message: (n) => this.received.push(n),
      disconnected: () => this.disconnects++,
      back: (isSame) => this.backs.push(isSame),
      told: () => this.told++,
    });
    this.client = client;
    this.isOnFirst = client.isOnFirst;
    if (client.keep) await client.keep(`basket of ${user}`);
  }

  async stillKeeps(user) {
    return this.client.kept ? (await this.client.kept()) === `basket of ${user}` : undefined;
  }

  /** Of the numbers 1 to `sent`. */
  account(sent) {
    const seen = new Set(this.received);
    return {
      missing: sent - seen.size,
      repeated: this.received.length - seen.size,
      outOfOrder: this.received.filter((n, at) => at > 0 && n < this.received[at - 1]).length,
    };
  }
}

async function run(start, kind) {
  const system = await start();
  try {
    const witnesses = new Map();
    for (const user of users) {
      const witness = new Witness();
      witnesses.set(user, witness);
      await witness.connect(system, user);
    }
    const all = [...witnesses.values()];
    const onNode = all.filter((witness) => witness.isOnFirst);
    let sent = 0;
    let isOver = false;
    const sending = (async () => {
      while (!isOver) {
        await Promise.all([system.send(users, ++sent), sleep(everyMs)]);
      }
    })();
    await sleep(beforeMs);
    const startAgain = await system.restart(restarts[kind]);
    await sleep(downMs);
    await startAgain();
    const deadline = Date.now() + backWithinMs;
    while (onNode.some(({ backs }) => backs.length === 0) && Date.now() < deadline) await sleep(100);
    await sleep(afterMs);
    isOver = true;
    await sending;
    await sleep(afterMs);
    const accounts = all.map((witness) => witness.account(sent));
    const kept = [];
    for (const [user, witness] of witnesses) if (witness.isOnFirst) kept.push(await witness.stillKeeps(user));
    return {
      system: system.name,
      versions: system.versions,
      settings: system.settings,
      beside: system.beside,
      kind,
      clients: all.length,
      onNode: onNode.length,
      disconnected: all.filter(({ disconnects }) => disconnects > 0).length,
      back: onNode.filter(({ backs }) => backs.length > 0).length,
      sameSession: onNode.filter(({ backs }) => backs.length > 0 && backs.every((isSame) => isSame)).length,
      kept: kept.includes(undefined) ? null : kept.filter((isKept) => isKept).length,
      messages: sent * all.length,
      missing: sum(accounts, ({ missing }) => missing),
      repeated: sum(accounts, ({ repeated }) => repeated),
      outOfOrder: sum(accounts, ({ outOfOrder }) => outOfOrder),
      told: all.filter(({ told }) => told > 0).length,
    };
  } finally {
    await system.stop();
  }
}

const sum = (list, of) => list.reduce((total, each) => total + of(each), 0);

await ensurePackages(['redis-server'], 'for the systems that keep their sessions in Redis');
const redis = /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1];
const results = [];
for (const start of systems) {
  for (const kind of Object.keys(restarts)) {
    const result = await run(start, kind);
    if (result.beside === 'Redis') result.versions.Redis = redis;
    results.push(result);
    console.log(JSON.stringify(result));
  }
}
const measured = {
  date: new Date().toISOString().slice(0, 10),
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim(),
  machine: `${availableParallelism()} cores; Node ${process.versions.node}`,
  command: 'npm run bench:sessions',
  results,
};
writeFileSync(join(root, 'bench', 'results', 'sessions.json'), `${JSON.stringify(measured, null, 1)}\n`);
process.exit();
