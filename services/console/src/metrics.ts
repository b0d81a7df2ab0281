import type { Ops } from '@evenkeel/runtime';
import { Counter } from 'prom-client';
import type { ToldRefusal } from './access/refusals.js';

/** `refused`: no such token. `paced`: too many from one address. */
export type LoginOutcome = 'done' | 'refused' | 'paced';

/** What a console counts as it goes. */
export interface ConsoleMetrics {
  login(outcome: LoginOutcome): void;
  /** `command` is one of the management interface: a bounded set. */
  command(command: string, outcome: 'done' | 'failed'): void;
  /** A request was refused because of who or where it is from. */
  refused(code: ToldRefusal): void;
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
  const refused = new Counter({
    name: 'evenkeel_console_refused_total',
    help: 'Requests refused because of who or where they are from, by the code of the answer',
    labelNames: ['code'],
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
    refused: (code) => refused.inc({ code }),
    limited: () => limited.inc(),
  };
}
