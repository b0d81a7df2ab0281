/** `npm run bench:compare`: what a change costs, against another commit, on the same machine in the same minutes. */
import {
  endAllWatched,
  parseFlags,
  startPrivateBroker,
  statusOf,
  UsageError,
  wholeNumber,
} from '@evenkeel/local';
import { startMeshOf } from './compare/mesh.js';
import { withPermissions } from './compare/permissions.js';
import { type Comparison, compare } from './compare/ratios.js';
import { type Figures, works } from './compare/works.js';
import { scheduleAsBatch } from './fleet/scheduling.js';
import { buildTree, type Tree, thisTree } from './tree.js';

const help = `npm run bench:compare -- --base REF [flags]
npm run bench:compare -- --permissions [flags]

Builds REF beside this tree and runs the same work on both in turn: one broker program, the same light clients (raw frames, no SDK).
Prints medians, and the ratio tree / base pair by pair; also the processor time that the broker and the services used.
  --base REF      a commit, a branch, a tag
  --permissions   this tree against itself: "tree" with rules of 50 namespaces, and tokens that grant 61 patterns;
                  the base in development mode, without any; with directed and fanout
  --work NAME     directed (events to users), fanout (a topic), sdk (events to users, whose clients are
                  each tree's SDK), attach (new sessions), memory (of the broker), move (directed)
  --pairs N       how often each (9)
  --json          one JSON object on standard output and nothing else
  --help
Exit status 0 when everything was delivered in every run; it does not judge the ratios.
`;

async function main(args: readonly string[]): Promise<number> {
  const flags = parseFlags(args, {
    base: { type: 'string' },
    permissions: { type: 'boolean', default: false },
    work: { type: 'string', default: 'directed' },
    pairs: { type: 'string', default: '9' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const work = works[flags.work];
  if (work === undefined)
    throw new UsageError(`--work takes ${Object.keys(works).join(', ')}, not "${flags.work}".`);
  if (flags.permissions === (flags.base !== undefined))
    throw new UsageError('Either --base with a commit to compare this tree with, or --permissions.');
  const pairs = wholeNumber('--pairs', flags.pairs, 1, 100);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);

  const tree = thisTree();
  const base = flags.base === undefined ? { ...tree, name: 'without' } : buildTree(flags.base, say);
  const manner = flags.permissions ? withPermissions() : undefined;
  const isBatch = scheduleAsBatch();
  const broker = await startPrivateBroker({ say });
  const figures: { base: Figures[]; tree: Figures[] } = { base: [], tree: [] };
  try {
    const once = async (which: 'base' | 'tree', from: Tree): Promise<void> => {
      const mesh = await startMeshOf(from, broker, which === 'tree' ? manner : undefined);
      try {
        const before = await mesh.cpuMs();
        const figuresOfWork = await work(mesh);
        const after = await mesh.cpuMs();
        const cpu = before &&
          after && {
            brokerCpuMs: after.broker - before.broker,
            servicesCpuMs: after.services - before.services,
          };
        figures[which].push({ ...figuresOfWork, ...cpu });
      } finally {
        await mesh.stop();
      }
    };
    // Not counted: the broker's first run is slower than all others.
    await once('tree', tree);
    figures.tree.pop();
    for (let pair = 1; pair <= pairs; pair++) {
      // Who goes first changes from pair to pair.
      if (pair % 2 === 1) await once('base', base);
      await once('tree', tree);
      if (pair % 2 === 0) await once('base', base);
      say(`pair ${pair} of ${pairs}: ${shown(figures.base.at(-1))} | ${shown(figures.tree.at(-1))}`);
    }
  } finally {
    await broker.stop();
  }
  const names = Object.keys(figures.tree[0] ?? {});
  const values = (of: readonly Figures[], name: string) => of.map((each) => each[name] ?? Number.NaN);
  const compared = Object.fromEntries(
    names.map((name) => [name, compare(values(figures.base, name), values(figures.tree, name))]),
  );
  if (flags.json) {
    const result = {
      work: flags.work,
      pairs,
      base: base.commit,
      tree: tree.commit,
      broker: broker.version,
      isBatch,
      compared,
      figures,
    };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  } else process.stdout.write(table(flags.work, base, tree, compared));
  return 0;
}

const shown = (figures: Figures | undefined): string =>
  Object.entries(figures ?? {})
    .map(([name, value]) => `${name} ${rounded(value)}`)
    .join(', ');

const rounded = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

function table(work: string, base: Tree, tree: Tree, compared: Record<string, Comparison>): string {
  const rows = Object.entries(compared).map(([name, one]) => {
    const { median, min, max } = one.ratio;
    const ratio = `${median.toFixed(3)} (${min.toFixed(3)} to ${max.toFixed(3)})`;
    return `${name.padEnd(20)} ${rounded(one.base).padStart(10)} ${rounded(one.tree).padStart(10)}   ${ratio}`;
  });
  const head = `${work.padEnd(20)} ${base.commit.padStart(10)} ${'tree'.padStart(10)}   ratio tree / base`;
  return `${head}\n${rows.join('\n')}\ntree: ${tree.commit}\n`;
}

const status = await statusOf(() => main(process.argv.slice(2)));
await endAllWatched();
process.exit(status);
