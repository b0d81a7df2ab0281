import type { Command } from 'commander';
import type { Operator } from '../operator.js';
import type { CommonOptions } from './options.js';
import type { Paint, Terminal } from './terminal.js';

/** What commands need of the program that they are part of. */
export interface CommandPorts {
  terminal: Terminal;
  paint: Paint;
  /** Adds a command with the options that all have. */
  command(usage: string, description: string): Command;
  /** Prints the answer as JSON, or as text. */
  show(options: CommonOptions, answer: unknown, text: () => string): void;
  /** What edges call a broker: `host:port` or host. `name`: that, or RabbitMQ's name of its node. */
  brokerOf(name: string): string;
  /** Connects, runs `work`, closes. */
  withOperator<T>(options: CommonOptions, work: (operator: Operator) => Promise<T>): Promise<T>;
}
