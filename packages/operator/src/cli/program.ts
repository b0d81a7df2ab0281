import { nodeSettingNames } from '@evenkeel/protocol';
import { Argument, Command, Option } from 'commander';
import { OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';
import { addApiKeyCommand } from './api-key.js';
import { json, positive } from './arguments.js';
import { addBrokerUserCommand } from './broker-user.js';
import { type AskedWords, askedWords, completionScript, type Shell, shapesOf, shells } from './completion.js';
import { addConsoleTokenCommand } from './console-token.js';
import { addDenyingCommands } from './denying.js';
import { addDrainBrokerCommand } from './drain-broker.js';
import { shellAssignments } from './env.js';
import { addLocalCommands } from './local.js';
import type { CommonOptions } from './options.js';
import { addPlanCommands } from './plan-commands.js';
import type { CommandPorts } from './ports.js';
import { addSettingCommands } from './settings.js';
import { addStatusCommands } from './status-commands.js';
import { painter, type Terminal } from './terminal.js';
import { addUserCommands } from './user-commands.js';

export interface ProgramPorts {
  terminal: Terminal;
  /** Of this package. */
  version: string;
  /** Connects, runs `work`, closes. */
  withOperator<T>(options: CommonOptions, work: (operator: Operator) => Promise<T>): Promise<T>;
  /** Publishes an event as an application; false when nobody takes it. */
  send(options: CommonOptions, user: string, event: string, body: unknown): Promise<boolean>;
  /** The addresses of the mesh that runs here. */
  addresses(): Record<string, string>;
  /** See {@link CommandPorts.brokerOf}. */
  brokerOf(name: string): string;
  /** Words that completion asks the mesh for. */
  words(kind: AskedWords, ask: (kind: AskedWords) => Promise<readonly string[]>): Promise<readonly string[]>;
}

const examples = `
Examples:
  evenkeel status                       nodes, how level they are, the running plan
  evenkeel top                          the same, live
  evenkeel plan                         what a rebalance would move; nothing happens
  evenkeel rebalance --wait             balance the load and watch it
  evenkeel drain edge-1 edge-2 --wait   empty two nodes; neither takes from the other
  evenkeel drain-broker mq2             have nothing depend on one of several brokers
  evenkeel status --watch --sort load --state active draining
  evenkeel node edge-1                  a node: limits, closes, gaps, who is on it
  evenkeel where alice                  the sessions of a user, and how far behind they are
  evenkeel session alice.SID            one session: where, queue, last ack, what has happened to it
  evenkeel events --follow              who does what, and what becomes of it
  evenkeel set mode manual              change a setting while the mesh runs
  evenkeel drain $(evenkeel where alice --nodes) --wait
  evenkeel deny mallory --until 12h     keep a user out, and close what is open
  evenkeel send alice '{"text":"hi"}'   publish an event to a user
  evenkeel local add-edge               one more edge of the "npm start" that runs here
  evenkeel status --json | jq '.nodes[].connections'

RabbitMQ's address is --amqp-url, else EVENKEEL_OPERATOR_AMQP_URL (of "send": EVENKEEL_APP_AMQP_URL), else
EVENKEEL_AMQP_URL, else that of a running "npm start", else amqp://guest:guest@127.0.0.1:5672.
Exit status: 0 done, 1 refused or failed, 2 wrong usage or no --yes, 3 no answer.`;

/** The command line, without what runs it. */
export function createProgram(ports: ProgramPorts): Command {
  const { terminal, version, withOperator } = ports;
  const paint = painter(terminal.hasColor);
  const program = new Command('evenkeel')
    .description('Operate an Evenkeel mesh.')
    .version(version)
    .addHelpText('after', examples)
    .showHelpAfterError('(evenkeel --help shows the commands)');

  const command = (usage: string, description: string): Command =>
    program
      .command(usage)
      .description(description)
      .option('--json', 'the answer as JSON, alone on standard output')
      .option('--amqp-url <url>', 'RabbitMQ, e.g. amqp://user:password@host:5672')
      .option('--timeout <seconds>', 'longest wait for an answer', positive, 5);
  const show = (options: CommonOptions, answer: unknown, text: () => string) =>
    terminal.out(`${options.json === true ? JSON.stringify(answer) : text()}\n`);

  /** The longest that somebody waits for TAB is a second. */
  const askWords = (kind: AskedWords) =>
    withOperator({ timeout: 1 }, async (operator) =>
      kind === 'nodes'
        ? (await operator.status()).nodes.filter(({ state }) => state !== 'gone').map(({ node }) => node)
        : [...(await operator.settings()).settings.map(({ name }) => name), ...nodeSettingNames],
    );
  const { brokerOf } = ports;
  const common: CommandPorts = { terminal, paint, command, show, brokerOf, withOperator };
  addStatusCommands(common);
  addPlanCommands(common);
  addDrainBrokerCommand(common);
  addSettingCommands(common);
  addUserCommands(common);
  addDenyingCommands(common);

  command('send', 'publish an event to a user')
    .argument('<user>')
    .argument('<json>', 'body of the event', json)
    .option('--event <name>', 'words of its name', 'message')
    .action(async (user: string, body: unknown, options: CommonOptions & { event: string }) => {
      const isRouted = await ports.send(options, user, options.event, body);
      if (!isRouted) {
        throw new OperatorError('no-session', `${user} has no session; nobody received the event`);
      }
      show(options, { ok: true, user, event: options.event }, () => `sent ${options.event} to ${user}`);
    });

  addLocalCommands(program, terminal);
  addBrokerUserCommand(program, terminal);
  addConsoleTokenCommand(program, terminal);
  addApiKeyCommand(program, terminal);

  program
    .command('env')
    .description('addresses of the "npm start" that runs here: export $(evenkeel env)')
    .action(() => terminal.out(shellAssignments(ports.addresses())));

  program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('[shell]').choices(shells))
    // What the scripts ask for; `--words nodes`.
    .addOption(new Option('--words <kind>').choices(askedWords).hideHelp())
    .action(async (shell: Shell | undefined, { words }: { words?: AskedWords }) => {
      if (shell !== undefined) terminal.out(completionScript(shell, shapesOf(program)));
      else if (words === undefined) throw new OperatorError('usage', `name a shell: ${shells.join(', ')}`);
      else for (const word of await ports.words(words, askWords)) terminal.out(`${word}\n`);
    });
  return program;
}
