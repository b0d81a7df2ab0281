import { maxEvents, maxHistory, type StatusAnswer } from '@evenkeel/protocol';
import { type Command, Option } from 'commander';
import type { Operator } from '../operator.js';
import { node as nodeArgument, positive, upTo } from './arguments.js';
import { nodeText } from './details.js';
import { followEvents } from './events.js';
import { nodeStates, type Selection, type SortKey, selected, sortKeys } from './nodes.js';
import type { CommonOptions } from './options.js';
import { eventLine, historyText } from './past.js';
import type { CommandPorts } from './ports.js';
import { statusText } from './status.js';
import { Top } from './top.js';
import { type Watched, watch } from './watch.js';

interface StatusOptions extends CommonOptions {
  sort?: SortKey;
  state?: string[];
  wide?: boolean;
  watch?: boolean;
  interval: number;
  frames?: number;
}

/** Adds what shows the mesh: `status`, `top`, `node`, `history`, `events`. */
export function addStatusCommands({ command, show, withOperator, terminal, paint }: CommandPorts): void {
  const withSelection = (c: Command, sort: SortKey) =>
    c
      .addOption(new Option('--sort <key>', `order of the nodes (default: ${sort})`).choices(sortKeys))
      .addOption(new Option('--state <state...>', 'only nodes in these states').choices(nodeStates))
      .option('--interval <seconds>', 'time between two refreshes', positive, 1)
      .option('--frames <n>', 'stop after this many', positive);
  const live = (operator: Operator, watched: Watched, { interval, frames, json = false }: StatusOptions) =>
    watch(operator, watched, { intervalMs: interval * 1_000, frames, json }, terminal);
  const width = () => (terminal.isTty ? { columns: terminal.columns } : {});

  withSelection(
    command('status', 'nodes, how level they are, the leader, the running plan and the last ones'),
    'node',
  )
    .option('--wide', 'more columns: version, weight')
    .option('--watch', 'again and again, until Ctrl-C; with --json one object a line')
    .action((options: StatusOptions) =>
      withOperator(options, async (operator) => {
        const selection = selectionOf(options);
        const isWide = options.wide === true;
        const text = (answer: StatusAnswer) =>
          statusText(answer, paint, { isWide, ...(isWide ? {} : width()), ...selection });
        const object = (answer: StatusAnswer) => only(answer, selection);
        if (options.watch === true) return await live(operator, { text, object }, options);
        const answer = await operator.status();
        show(options, object(answer), () => text(answer));
      }),
    );

  withSelection(command('top', 'the status, live, in what the screen has room for'), 'load').action(
    (options: StatusOptions) =>
      withOperator(options, (operator) => {
        const selection = { sort: 'load', ...selectionOf(options) } as const;
        const top = new Top(selection, paint);
        const watched: Watched = {
          text: (...given) => top.text(...given),
          key: (key) => top.key(key),
          object: (answer) => only(answer, selectionOf(options)),
        };
        return live(operator, watched, options);
      }),
  );

  command('node', 'one node: limits, closes, gaps and refusals by reason, settings, who is on it')
    .argument('<node>', 'its name', nodeArgument)
    .action((name: string, options: CommonOptions) =>
      withOperator(options, async (operator) => {
        const answer = await operator.node(name);
        show(options, answer, () => nodeText(answer, paint));
      }),
    );

  command('history', 'the plans that have ended, newest first')
    .option('--limit <n>', 'so many at most', upTo(maxHistory), 20)
    .option('--before <plan>', 'only those before this one')
    .action(({ limit, before, ...options }: CommonOptions & { limit: number; before?: string }) =>
      withOperator(options, async (operator) => {
        const answer = await operator.history({ limit, ...(before === undefined ? {} : { before }) });
        show(options, answer, () => historyText(answer.plans, paint));
      }),
    );

  command('events', 'what has happened: commands and by whom, plans, nodes that come and go, leaders')
    .option('--limit <n>', 'so many of the last ones', upTo(maxEvents), 50)
    .option('--follow', 'go on with those to come; with --json one object a line')
    .action(({ limit, follow, ...options }: CommonOptions & { limit: number; follow?: boolean }) =>
      withOperator(options, async (operator) => {
        if (follow === true)
          return await followEvents(
            operator,
            { limit, json: options.json === true, everyMs: 1_000 },
            terminal,
          );
        const answer = await operator.events();
        const events = answer.events.slice(-limit);
        show(
          options,
          { ...answer, events },
          () => events.map(eventLine).join('\n') || 'Nothing has happened yet.',
        );
      }),
    );
}

const selectionOf = ({ sort, state }: StatusOptions): Selection => ({
  ...(sort === undefined ? {} : { sort }),
  ...(state === undefined ? {} : { states: state }),
});

/** The answer with the nodes that were asked for, in that order; as it came where nothing was said of that. */
const only = (answer: StatusAnswer, selection: Selection): StatusAnswer =>
  Object.keys(selection).length === 0 ? answer : { ...answer, nodes: selected(answer.nodes, selection) };
