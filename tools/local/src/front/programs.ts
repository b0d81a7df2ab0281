import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, type LineSink, runToEnd } from '../child.js';
import { environment } from '../environment.js';
import { Failure } from '../failure.js';
import { watchOver } from '../guard.js';
import type { Program } from './fronts.js';

/** A program that runs one configuration after the other. */
export interface Running {
  /** Takes over this configuration; connections that are open stay. Resolves when nobody new meets the one before. */
  load(config: string): Promise<void>;
  stop(): Promise<void>;
}

export interface ProgramOptions {
  /** Its files, a folder of its own. */
  readonly dir: string;
  /** Of 127.0.0.1, where it says which configuration it runs. */
  readonly port: number;
  readonly onLine: LineSink;
}

/** The Debian packages of each. */
export const packagesOf: Readonly<Record<Program, readonly string[]>> = {
  nginx: ['nginx'],
  haproxy: ['haproxy'],
  nft: ['nftables'],
};

export const programs: Readonly<Record<Program, (options: ProgramOptions) => Running>> = {
  nginx: (options) => new Daemon(options, nginx),
  haproxy: (options) => new Daemon(options, haproxy),
  nft: ({ dir, port }) => new Table(dir, `evenkeel_${port}`),
};

const startTimeoutMs = 10_000;
const loadTimeoutMs = 10_000;
const stopTimeoutMs = 2_000;
/** Answers in a row of the new configuration: until the one before has stopped listening, either may accept. */
const inARow = 5;

interface DaemonKind {
  readonly name: string;
  readonly command: string;
  /** The whole of its configuration. `said`: what it answers on `port`. */
  whole(config: string, dir: string, port: number, said: string): string;
  checkArgs(file: string): readonly string[];
  runArgs(file: string): readonly string[];
  readonly reload: NodeJS.Signals;
}

const nginx: DaemonKind = {
  name: 'nginx',
  command: '/usr/sbin/nginx',
  whole: (config, dir, port, said) => `daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }
http {
access_log off;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${dir}/${each};`).join('\n')}
server { listen 127.0.0.1:${port}; location / { return 200 "${said}"; } }
${config}
}
`,
  checkArgs: (file) => ['-t', '-q', '-e', 'stderr', '-c', file],
  runArgs: (file) => ['-e', 'stderr', '-c', file],
  reload: 'SIGHUP',
};

const haproxy: DaemonKind = {
  name: 'haproxy',
  command: '/usr/sbin/haproxy',
  whole: (config, _dir, port, said) => `${config.replace(/maxconn \d+/, 'maxconn 8000')}
frontend said
    bind 127.0.0.1:${port}
    http-request return status 200 content-type text/plain string "${said}"
`,
  checkArgs: (file) => ['-c', '-q', '-f', file],
  runArgs: (file) => ['-W', '-db', '-f', file],
  reload: 'SIGUSR2',
};

class Daemon implements Running {
  readonly #options: ProgramOptions;
  readonly #kind: DaemonKind;
  readonly #file: string;
  #child: Child | undefined;
  #loaded = 0;

  constructor(options: ProgramOptions, kind: DaemonKind) {
    this.#options = options;
    this.#kind = kind;
    this.#file = join(options.dir, kind.name);
  }

  async load(config: string): Promise<void> {
    const { dir, port, onLine } = this.#options;
    const { name, command, whole, checkArgs, runArgs, reload } = this.#kind;
    const said = `configuration ${++this.#loaded}`;
    writeFileSync(this.#file, whole(config, dir, port, said));
    const check = await runToEnd(command, checkArgs(this.#file));
    if (check.status === 127) throw new Failure('no-front', `${command} is not installed.`);
    if (check.status !== 0) throw new Failure('front', `${name} refuses ${this.#file}:\n${check.stderr}`);
    if (this.#child === undefined) {
      const args = runArgs(this.#file);
      this.#child = new Child({ name, command, args, env: environment(), cwd: dir, onLine });
    } else process.kill(this.#child.pid, reload);
    let row = 0;
    await this.#child.waitUntil(
      async () => {
        while (row < inARow && (await answerOf(port)) === said) row++;
        if (row < inARow) row = 0;
        return row >= inARow;
      },
      this.#loaded === 1 ? startTimeoutMs : loadTimeoutMs,
    );
  }

  async stop(): Promise<void> {
    await this.#child?.stop(stopTimeoutMs);
  }
}

async function answerOf(port: number): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(1_000),
    });
    return await response.text();
  } catch {
    return undefined;
  }
}

/** The kernel's: no process runs, so what is left of it is a table of this name. */
class Table implements Running {
  readonly #dir: string;
  readonly #name: string;
  #release: (() => void) | undefined;

  constructor(dir: string, name: string) {
    this.#dir = dir;
    this.#name = name;
  }

  async load(config: string): Promise<void> {
    const file = join(this.#dir, 'evenkeel.nft');
    // Clients and edges are on one machine here: what it sends itself arrives by no other way.
    const here = config
      .replaceAll('table ip evenkeel', `table ip ${this.#name}`)
      .replace('hook prerouting priority dstnat', 'hook output priority -100');
    writeFileSync(file, here);
    this.#release ??= watchOver({ kind: 'table', name: this.#name });
    const { status, stderr } = await runToEnd('/usr/sbin/nft', ['-f', file]);
    if (status === 127) throw new Failure('no-front', 'nft is not installed.');
    if (status !== 0) throw new Failure('front', `nft refuses ${file}:\n${stderr}`);
  }

  async stop(): Promise<void> {
    if (this.#release === undefined) return;
    await runToEnd('/usr/sbin/nft', ['delete', 'table', 'ip', this.#name]);
    this.#release();
    this.#release = undefined;
  }
}
