// From a fresh clone to compiled tooling with nothing but Node and npm: no dependencies here.
// Everything it says goes to standard error, so that a tool's `--json` output stays alone.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const minimumNode = [20, 19];

/** Runs one compiled command of `tools/local/src/commands` with what it needs in place. */
export async function runCommand(name) {
  requireNode();
  installDependencies();
  compile('tools/local');
  const { run } = await import(`./dist/commands/${name}.js`);
  await run(process.argv.slice(2));
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])) return;
  stop(`Evenkeel needs Node ${minimumNode.join('.')} or newer; this is ${process.versions.node}.`);
}

function installDependencies() {
  if (isInstalled()) return;
  say('Installing dependencies (npm ci) …');
  // npm's own standard output is chatter here.
  const npm = spawnSync('npm', ['ci', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (npm.status !== 0) stop('npm ci failed (see above). It needs a reachable npm registry.');
}

/**
 * Compares what npm says it installed with what the lock file asks for, rather than file times:
 * a checkout touches the lock file without changing it.
 */
function isInstalled() {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.optional) return true;
    return present[path] !== undefined && present[path].version === entry.version;
  });
}

function readPackages(file) {
  if (!existsSync(file)) return {};
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

function compile(project) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [tsc, '-b', project], { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) stop(`Compiling ${project} failed (see above).`);
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function stop(text) {
  say(text);
  process.exit(1);
}
