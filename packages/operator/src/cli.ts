import { readFileSync } from 'node:fs';
import { loadConfig } from '@evenkeel/runtime';
import { type Command, CommanderError } from 'commander';
import { z } from 'zod';
import { exitCodes, failed } from './cli/failure.js';
import type { CommonOptions } from './cli/options.js';
import { createProgram } from './cli/program.js';
import { localAddresses, resolveAmqpTls, resolveAmqpUrl, resolveBroker } from './cli/target.js';
import { processTerminal, type Terminal } from './cli/terminal.js';
import { wordsOf } from './cli/words.js';
import { OperatorError } from './errors.js';
import { createOperator } from './operator.js';
import { sendEvent } from './send.js';

/** Runs one command line (without `node` and the script) and resolves with its exit code. */
export async function run(argv: readonly string[], terminal: Terminal = ownTerminal()): Promise<number> {
  const isJson = argv.includes('--json');
  const program = createProgram({
    terminal,
    version: ownVersion(),
    withOperator: async (options: CommonOptions, work) => {
      const tls = resolveAmqpTls();
      const operator = await createOperator({
        amqpUrl: resolveAmqpUrl(options.amqpUrl),
        ...(tls && { tls }),
        timeoutMs: (options.timeout ?? 5) * 1_000,
      });
      try {
        return await work(operator);
      } finally {
        await operator.close();
      }
    },
    send: ({ amqpUrl, timeout = 5 }, ...event) =>
      sendEvent(
        { amqpUrl: resolveAmqpUrl(amqpUrl, 'app'), tls: resolveAmqpTls(), timeoutMs: timeout * 1_000 },
        ...event,
      ),
    addresses: () => localAddresses(),
    brokerOf: (name) => resolveBroker(name),
    words: (kind, ask) => wordsOf(kind, resolveAmqpUrl(undefined), ask),
  });
  prepare(program, terminal);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return parsed(error, isJson, terminal);
    return failed(error, isJson, terminal);
  }
}

/** The words were not understood, or asked for nothing but help: which is printed already, for people. */
function parsed({ exitCode, message }: CommanderError, isJson: boolean, terminal: Terminal): number {
  if (exitCode === 0) return exitCodes.done;
  if (!isJson) return exitCodes.usage;
  return failed(new OperatorError('usage', message.replace(/^error: /, '')), isJson, terminal);
}

/** Errors come back as values here, also those of the subcommands, and text goes to the terminal given. */
function prepare(command: Command, terminal: Terminal): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => terminal.out(text),
    writeErr: (text) => terminal.err(text),
  });
  for (const sub of command.commands) prepare(sub, terminal);
}

/** That of the package.json, one folder above the compiled file, in the repository and in the package. */
function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return z.looseObject({ version: z.string() }).parse(JSON.parse(text)).version;
}

function ownTerminal(): Terminal {
  const { noColor } = loadConfig(z.object({ noColor: z.string().optional() }), { prefix: '' });
  return processTerminal(noColor !== undefined);
}
