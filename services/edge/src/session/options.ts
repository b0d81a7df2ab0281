import type { Log } from '@evenkeel/runtime';
import type { Directory, Listed } from './directory.js';
import type { Load } from './load.js';
import type { SessionPorts, Users } from './ports.js';
import type { WelcomeOptions } from './welcome.js';

/** What every session of this edge shares. */
export interface SessionOptions<S extends Listed> extends WelcomeOptions {
  readonly ports: SessionPorts;
  readonly directory: Directory<S>;
  readonly load: Load;
  readonly users: Users;
  readonly log: Pick<Log, 'debug' | 'warn'>;
  now(): number;
}
