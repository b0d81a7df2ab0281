import type { PlanAnswer } from '@evenkeel/protocol';
import { nodeName } from '@evenkeel/protocol';
import { Command, InvalidArgumentError, Option } from 'commander';
import { OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';
import { addBrokerUserCommand } from './broker-user.js';
import { completionScript, shells } from './completion.js';
import { addDenyingCommands } from './denying.js';
import { shellAssignments } from './env.js';
import { follow, type Goal } from './follow.js';
import { addLocalCommands } from './local.js';
import type { CommonOptions } from './options.js';
import { statusText } from './status.js';
import { painter, type Terminal } from './terminal.js';
import { top } from './top.js';
import { nobodyText, planLine, planText, sessionsText, steeredText, unreachableLines } from './views.js';

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
}

interface PlanOptions extends CommonOptions {
  strategy?: 'least-loaded' | 'consistent-hash';
  load?: 'connections' | 'events' | 'bytes' | 'cpu';
  wait?: boolean;
}

interface DrainOptions extends PlanOptions {
  deadline?: number;
  closePinned?: boolean;
  rate?: number;
}

const examples = `
Examples:
  evenkeel status                       nodes, how level they are, the running plan
  evenkeel top                          the same, live
  evenkeel plan                         what a rebalance would move; nothing happens
  evenkeel rebalance --wait             balance the load and watch it
  evenkeel drain edge-1 edge-2 --wait   empty two nodes; neither takes from the other
  evenkeel where alice                  the sessions of a user
  evenkeel drain $(evenkeel where alice --nodes) --wait
  evenkeel deny mallory --until 12h     keep a user out, and close what is open
  evenkeel send alice '{"text":"hi"}'   publish an event to a user
  evenkeel local add-edge               one more edge of the "npm start" that runs here
  evenkeel status --json | jq '.nodes[].connections'

RabbitMQ's address is --amqp-url, else EVENKEEL_OPERATOR_AMQP_URL (of "send": EVENKEEL_APP_AMQP_URL), else
EVENKEEL_AMQP_URL, else that of a running "npm start", else amqp://guest:guest@127.0.0.1:5672.
Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 no answer.`;

/** The command line, without what runs it. */
export function createProgram(ports: ProgramPorts): Command {
  const { terminal, version, withOperator } = ports;
  const paint = painter(terminal.isTty);
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
  const withPlanOptions = (c: Command) =>
    c
      .addOption(new Option('--strategy <name>', 'how to place').choices(['least-loaded', 'consistent-hash']))
      .addOption(
        new Option('--load <measure>', 'what to balance').choices(['connections', 'events', 'bytes', 'cpu']),
      );

  command('status', 'nodes, how level they are, the leader, the running plan and the last ones')
    .option('--wide', 'more columns: version, weight')
    .action((options: CommonOptions & { wide?: boolean }) =>
      withOperator(options, async (operator) => {
        const answer = await operator.status();
        show(options, answer, () => statusText(answer, paint, { isWide: options.wide === true }));
      }),
    );

  command('top', 'the status, live')
    .option('--interval <seconds>', 'time between two refreshes', positive, 1)
    .option('--frames <n>', 'stop after this many', positive)
    .action((options: CommonOptions & { interval: number; frames?: number }) =>
      withOperator(options, (operator) => {
        const { interval, frames, json = false } = options;
        return top(operator, { intervalMs: interval * 1_000, frames, json }, terminal);
      }),
    );

  withPlanOptions(
    command('plan', 'what a rebalance would move, or with nodes what draining them would; nothing happens'),
  )
    .argument('[node...]', 'nodes to drain', nodes)
    .action((drained: string[] | undefined, options: PlanOptions) =>
      withOperator(options, async (operator) => {
        const answer = await operator.plan({
          ...planArguments(options),
          ...(drained?.length ? { nodes: drained } : {}),
        });
        show(options, answer, () => planText(answer.plan, paint));
      }),
    );

  const carryOut = async (
    operator: Operator,
    options: PlanOptions,
    answer: PlanAnswer,
    goal: Goal | undefined,
  ) => {
    if (options.wait !== true || goal === undefined) {
      show(options, answer, () => planText(answer.plan, paint));
      return;
    }
    const last = await follow(operator, goal, terminal);
    if (last.state !== 'done') {
      const ended = last.outcome ?? `it ended ${last.state ?? 'early'}; evenkeel status says more`;
      throw new OperatorError('unfinished', ended);
    }
    show(options, { ...answer, plan: { ...answer.plan, ...last } }, () => `${planLine(last)}.`);
  };

  withPlanOptions(command('rebalance', 'balance the load with the fewest moves'))
    .option('--wait', 'follow it until it is done')
    .action((options: PlanOptions) =>
      withOperator(options, async (operator) => {
        const answer = await operator.rebalance(planArguments(options));
        const { plan } = answer;
        await carryOut(operator, options, answer, plan?.id == null ? undefined : { kind: 'plan', plan });
      }),
    );

  command('drain', 'move every session away from these nodes and keep new ones off')
    .argument('<node...>', 'nodes', nodes)
    .option('--deadline <seconds>', 'give up after this long', positive)
    .option('--close-pinned', 'close in the end what the front keeps there whatever is moved')
    .addOption(
      new Option('--rate <n>', 'how many a second --close-pinned closes (default: 10)')
        .argParser(closeRate)
        .implies({ closePinned: true }),
    )
    .option('--wait', 'follow it until it is done, or nothing more can be done (exit status 1)')
    .action((names: string[], options: DrainOptions) =>
      withOperator(options, async (operator) => {
        const answer = await operator.drain({ nodes: names, ...drainArguments(options) });
        const { deadlineMs } = drainArguments(options);
        await carryOut(operator, options, answer, { kind: 'empty', nodes: names, deadlineMs });
      }),
    );

  for (const [verb, does] of [
    ['cordon', 'keep new clients off these nodes; those that are there stay'],
    ['uncordon', 'let these nodes take clients again'],
  ] as const) {
    command(verb, does)
      .argument('<node...>', 'nodes', nodes)
      .action((names: string[], options: CommonOptions) =>
        withOperator(options, async (operator) => {
          const answer = await operator[verb]({ nodes: names });
          show(options, answer, () =>
            [`${names.join(', ')}: ${verb}ed`, ...unreachableLines(answer)].join('\n'),
          );
        }),
      );
  }

  for (const [verb, does] of [
    ['pause', 'pause the running plan; without one, automatic rebalancing'],
    ['resume', 'continue what was paused'],
    ['abort', 'end the running plan; what has moved stays'],
    ['undo', 'move back what the last plan moved'],
  ] as const) {
    command(verb, does)
      .argument('[plan]', 'id of the plan')
      .action((plan: string | undefined, options: CommonOptions) =>
        withOperator(options, async (operator) => {
          const answer = await operator[verb](plan === undefined ? {} : { plan });
          show(options, answer, () => steeredText(verb, answer, paint));
        }),
      );
  }

  command('where', 'the sessions of a user and their nodes')
    .argument('<user>')
    .option('--nodes', 'the nodes alone, one a line, for drain; exit status 1 without a session')
    .action((user: string, options: CommonOptions & { nodes?: boolean }) =>
      withOperator(options, async (operator) => {
        const answer = await operator.where(user);
        const found = [...new Set((answer.sessions ?? []).map(({ node }) => node))];
        if (options.nodes === true && found.length === 0)
          throw new OperatorError('no-session', `${user} is not connected, so it is on no node`);
        show(options, answer, () =>
          options.nodes === true ? found.join('\n') : sessionsText(user, answer, Date.now(), paint),
        );
      }),
    );

  command(
    'disconnect',
    'close every connection of a user and end its sessions; its clients do not reconnect on their own',
  )
    .argument('<user>')
    .action((user: string, options: CommonOptions) =>
      withOperator(options, async (operator) => {
        const answer = await operator.disconnect(user);
        const count = answer.sessions?.length ?? 0;
        if (count === 0) throw new OperatorError('no-session', nobodyText(user, answer));
        show(options, answer, () => `${user}: ${count} ${count === 1 ? 'session' : 'sessions'} disconnected`);
      }),
    );

  addDenyingCommands({ command, show, withOperator });

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

  program
    .command('env')
    .description('addresses of the "npm start" that runs here: export $(evenkeel env)')
    .action(() => terminal.out(shellAssignments(ports.addresses())));

  program
    .command('completion')
    .description('print a completion script for a shell')
    .argument('<shell>', shells.join(', '), oneOf(shells))
    .action((shell: (typeof shells)[number]) => {
      terminal.out(
        completionScript(
          shell,
          program.commands.map((c) => ({
            name: c.name(),
            description: c.description(),
            options: c.options.flatMap((o) => (o.long == null ? [] : [o.long])),
          })),
        ),
      );
    });
  return program;
}

function planArguments({ strategy, load }: PlanOptions) {
  return { ...(strategy === undefined ? {} : { strategy }), ...(load === undefined ? {} : { load }) };
}

function drainArguments({ deadline, closePinned, rate }: DrainOptions) {
  return {
    ...(deadline === undefined ? {} : { deadlineMs: Math.round(deadline * 1_000) }),
    ...(closePinned === true ? { closePinned } : {}),
    ...(rate === undefined ? {} : { ratePerSecond: rate }),
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

function closeRate(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 1_000)) throw new InvalidArgumentError('Give a number from 1 to 1,000.');
  return value;
}

function nodes(name: string, before: string[] | undefined): string[] {
  const parsed = nodeName.safeParse(name);
  if (!parsed.success)
    throw new InvalidArgumentError(`${parsed.error.issues[0]?.message ?? 'No node name'}.`);
  return [...(before ?? []), name];
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('It is not JSON. A text needs its quotes: \'"hello"\'.');
  }
}

const oneOf =
  <T extends string>(values: readonly T[]) =>
  (text: string): T => {
    const value = values.find((v) => v === text);
    if (value === undefined) throw new InvalidArgumentError(`Choose one of ${values.join(', ')}.`);
    return value;
  };
