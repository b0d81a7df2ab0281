import { Child, type LineSink } from './child.js';
import { inherited } from './environment.js';
import { mainOf, type Role } from './mains.js';
import { root } from './paths.js';

export type { Role } from './mains.js';

/** `ended`: it was never started, has been stopped, or has died. */
export type Phase = 'starting' | 'running' | 'stopping' | 'ended';

export interface MemberOptions {
  readonly role: Role;
  /** Unique within the mesh; an edge's node name. */
  readonly name: string;
  readonly opsPort: number;
  /** The compiled checkout that it runs. Default: this one. */
  readonly checkout?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: LineSink;
  /** Is told when it ends without having been told to. */
  readonly onUnexpectedEnd: (member: Member, how: string) => void;
}

const readyTimeoutMs = 30_000;

/**
 * Large buffers go back to the system when they are freed. By itself glibc keeps them after the first one, and an edge that has read
 * many large events would stay as large. The same stands in `infra`.
 */
const allocator = {
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '1048576',
  MALLOC_ARENA_MAX: '2',
};

/** One service of a mesh: a process that can be ended, frozen and started again under the same name. */
export class Member {
  readonly role: Role;
  readonly name: string;
  /** Where it answers `/healthz`, `/readyz` and `/metrics`. */
  readonly opsUrl: string;
  readonly #options: MemberOptions;
  #env: Readonly<Record<string, string>>;
  #checkout: string;
  #child: Child | undefined;
  #isMeantToRun = false;
  #isReady = false;

  constructor(options: MemberOptions) {
    this.role = options.role;
    this.name = options.name;
    this.opsUrl = `http://127.0.0.1:${options.opsPort}`;
    this.#options = options;
    this.#env = options.env;
    this.#checkout = options.checkout ?? root;
  }

  /** Its process id; null while it does not run. */
  get pid(): number | null {
    return this.isRunning ? (this.#child?.pid ?? null) : null;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && !this.#child.hasExited;
  }

  get phase(): Phase {
    if (!this.isRunning) return 'ended';
    if (!this.#isMeantToRun) return 'stopping';
    return this.#isReady ? 'running' : 'starting';
  }

  /** Starts it and waits until it is ready. What `env` names overrides, now and on later starts. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#env = { ...this.#env, ...env };
    const child = new Child({
      name: this.name,
      command: process.execPath,
      args: ['--enable-source-maps', mainOf(this.role, this.#checkout)],
      env: {
        ...(this.role === 'edge' && allocator),
        ...inherited(),
        EVENKEEL_LOG_FORMAT: 'json',
        ...this.#env,
        EVENKEEL_OPS_PORT: new URL(this.opsUrl).port,
      },
      cwd: this.#checkout,
      onLine: this.#options.onLine,
    });
    this.#child = child;
    this.#isMeantToRun = true;
    this.#isReady = false;
    await child.waitUntil(() => isReady(this.opsUrl), readyTimeoutMs);
    this.#isReady = true;
    void child.exited.then((how) => {
      if (this.#isMeantToRun && this.#child === child) this.#options.onUnexpectedEnd(this, how);
    });
  }

  /** Signals it and waits for its end; SIGKILL after `graceMs` (default 60 s: an edge drains first). */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = 60_000): Promise<void> {
    this.#isMeantToRun = false;
    await this.#child?.stop(graceMs, signal);
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** Stops it in order, then starts it again with the same name and address. */
  async restart(env: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.stop();
    await this.start(env);
  }

  /** Another compiled checkout is what it runs from its next start on. */
  runFrom(checkout: string): void {
    this.#checkout = checkout;
  }

  /** Freezes it (SIGSTOP): its sockets stay open, and nothing happens on them. */
  pause(): void {
    this.#child?.signal('SIGSTOP');
  }

  /** Has it read anew what it reads anew on SIGHUP. */
  reload(): void {
    this.#child?.signal('SIGHUP');
  }

  /** Ends a `pause()`. */
  resume(): void {
    this.#child?.signal('SIGCONT');
  }
}

async function isReady(opsUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${opsUrl}/readyz`, { signal: AbortSignal.timeout(1000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
