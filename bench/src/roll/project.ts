import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');

/** The compose project of this checkout. */
export interface Project {
  /** It ran before we came. */
  readonly wasRunning: boolean;
  /** Its edges that run. */
  edges(): Promise<readonly { readonly id: string; readonly version: string }[]>;
  /** Rolls it to this version; its words go to standard output. */
  roll(version: string): Promise<void>;
  /** With its volume. */
  remove(): Promise<void>;
}

/** Sets the project up, builds and starts it; resolves when everything in it is healthy. */
export async function startProject(): Promise<Project> {
  const wasRunning = (await output('docker', 'compose', 'ps', '-q', 'edge')) !== '';
  if (!wasRunning) {
    await shown(process.execPath, 'tools/local/compose.mjs');
    await shown('docker', 'compose', 'build', '--quiet');
    await shown('docker', 'compose', 'up', '--detach', '--wait', '--quiet-pull');
  }
  return {
    wasRunning,
    async edges() {
      const ids = (await output('docker', 'compose', 'ps', '-q', 'edge'))
        .split('\n')
        .filter((id) => id !== '');
      const label = '{{index .Config.Labels "evenkeel.version"}}';
      return Promise.all(
        ids.map(async (id) => ({ id, version: await output('docker', 'inspect', '-f', label, id) })),
      );
    },
    roll: (version) => shown('infra/docker/roll.sh', version),
    remove: () => shown('docker', 'compose', 'down', '--volumes', '--timeout', '5'),
  };
}

/** How large an image is, and how much of it does not come from its base. */
export async function layersOf(
  image: string,
  base: string,
): Promise<{ readonly ownBytes: number; readonly wholeBytes: number }> {
  const sizes = async (name: string) =>
    (await output('docker', 'history', '--human=false', '--format', '{{.Size}}', name))
      .split('\n')
      .map(Number);
  const [all, below] = [await sizes(image), await sizes(base)];
  const sum = (bytes: readonly number[]) => bytes.reduce((total, each) => total + each, 0);
  // The newest layer comes first.
  return { ownBytes: sum(all.slice(0, all.length - below.length)), wholeBytes: sum(all) };
}

/** Runs a command in the checkout with its words shown. @throws when it fails. */
async function shown(command: string, ...args: string[]): Promise<void> {
  await ended(spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }), command, args);
}

async function output(command: string, ...args: string[]): Promise<string> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await ended(child, command, args);
  return text.trim();
}

async function ended(child: ReturnType<typeof spawn>, command: string, args: string[]): Promise<void> {
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}
