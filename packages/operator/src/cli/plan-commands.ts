import { loads, type PlanAnswer, strategies } from '@evenkeel/protocol';
import { type Command, Option } from 'commander';
import type { Operator } from '../operator.js';
import { closeRate, nodes, positive } from './arguments.js';
import { confirmTaking } from './confirm.js';
import { follow, type Goal } from './follow.js';
import type { CommonOptions } from './options.js';
import type { CommandPorts } from './ports.js';
import { Unfinished, whoStayed } from './stayed.js';
import { planLine, planText, steeredText, stillCordonedLines } from './views.js';

interface PlanOptions extends CommonOptions {
  strategy?: (typeof strategies)[number];
  load?: (typeof loads)[number];
  wait?: boolean;
}

interface TakingOptions extends CommonOptions {
  yes?: boolean;
}

interface DrainOptions extends PlanOptions, TakingOptions {
  deadline?: number;
  closePinned?: boolean;
  rate?: number;
}

/** Adds what moves sessions: `plan`, `rebalance`, `drain`, `cordon`, and what steers those. */
export function addPlanCommands(ports: CommandPorts): void {
  const { command, show, withOperator, terminal, paint } = ports;
  const withPlanOptions = (c: Command) =>
    c
      .addOption(new Option('--strategy <name>', 'how to place').choices(strategies))
      .addOption(new Option('--load <measure>', 'what to balance').choices(loads));

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
    const { stayed = [], ...last } = await follow(operator, goal, terminal);
    if (last.state !== 'done') {
      const ended = last.outcome ?? `it ended ${last.state ?? 'early'}; evenkeel status says more`;
      throw new Unfinished(ended, await whoStayed(operator, stayed));
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

  const withYes = (c: Command) =>
    c.option('--yes', 'do not ask, however much of the capacity that takes away');

  withYes(command('drain', 'move every session away from these nodes and keep new ones off'))
    .argument('<node...>', 'nodes', nodes)
    .option('--deadline <seconds>', 'give up after this long', positive)
    .option('--close-pinned', 'close in the end what the front keeps there whatever is moved')
    .addOption(
      new Option('--rate <n>', 'how many a second --close-pinned closes (default: 10)')
        .argParser(closeRate)
        .implies({ closePinned: true }),
    )
    .option('--wait', 'follow it until it is done, or nothing more can be done: who stays, exit status 1')
    .action((names: string[], options: DrainOptions) =>
      withOperator(options, async (operator) => {
        if (options.yes !== true) await confirmTaking(operator, 'drain', names, terminal);
        const answer = await operator.drain({ nodes: names, ...drainArguments(options) });
        const { deadlineMs } = drainArguments(options);
        await carryOut(operator, options, answer, { kind: 'empty', nodes: names, deadlineMs });
      }),
    );

  const done = (names: string[], verb: string, more: string[]) =>
    [`${names.join(', ')}: ${verb}ed`, ...more].join('\n');

  withYes(command('cordon', 'keep new clients off these nodes; those that are there stay'))
    .argument('<node...>', 'nodes', nodes)
    .action((names: string[], options: TakingOptions) =>
      withOperator(options, async (operator) => {
        if (options.yes !== true) await confirmTaking(operator, 'cordon', names, terminal);
        const answer = await operator.cordon({ nodes: names });
        show(options, answer, () => done(names, 'cordon', []));
      }),
    );

  command('uncordon', 'let these nodes take clients again')
    .argument('<node...>', 'nodes', nodes)
    .action((names: string[], options: CommonOptions) =>
      withOperator(options, async (operator) => {
        const answer = await operator.uncordon({ nodes: names });
        show(options, answer, () => done(names, 'uncordon', stillCordonedLines(answer)));
      }),
    );

  for (const [verb, does] of [
    ['pause', 'pause the running plan; without one, automatic rebalancing'],
    ['resume', 'continue what was paused'],
    ['abort', 'end the running plan; what has moved stays'],
    ['undo', 'move back what the last plan moved, and pause automatic rebalancing'],
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
