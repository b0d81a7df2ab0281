import type { Ops } from '@evenkeel/runtime';
import { Counter } from 'prom-client';

/** `refused`: no such token. `paced`: too many from one address. */
export type LoginOutcome = 'done' | 'refused' | 'paced';

/** What a console counts as it goes. */
export interface ConsoleMetrics {
  login(outcome: LoginOutcome): void;
  /** `command` is one of the management interface: a bounded set. */
  command(command: string, outcome: 'done' | 'failed'): void;
  /** A request or a connection was refused by a limit of its address. */
  limited(): void;
}

/** What Prometheus reads of a console. */
export function consoleMetrics(metrics: Ops['metrics']): ConsoleMetrics {
  const logins = new Counter({
    name: 'evenkeel_console_logins_total',
    help: 'Logins by outcome: done, refused (no such token), paced (too many from one address)',
    labelNames: ['outcome'],
    registers: [metrics],
  });
  const commands = new Counter({
    name: 'evenkeel_console_commands_total',
    help: 'Commands sent to the balancer for somebody who is logged in, by outcome: done, failed',
    labelNames: ['command', 'outcome'],
    registers: [metrics],
  });
  const limited = new Counter({
    name: 'evenkeel_console_limited_total',
    help: 'Requests and connections refused because their address has too many',
    registers: [metrics],
  });
  return {
    login: (outcome) => logins.inc({ outcome }),
    command: (command, outcome) => commands.inc({ command, outcome }),
    limited: () => limited.inc(),
  };
}
