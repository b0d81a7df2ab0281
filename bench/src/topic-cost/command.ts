import { brokerChoice, parseFlags, reportFailure, wholeNumber } from '@evenkeel/local';
import { tableOf } from '../story/table.js';
import type { TopicMeshOptions } from './mesh.js';

/** A flag that takes a whole number from 1. */
interface NumberFlag {
  readonly default: number;
  readonly max: number;
}

type Result<Name extends string, Figures> = Readonly<Record<Name, number>> & {
  readonly without: Figures;
  readonly with: Figures;
};

interface Command<Name extends string, Figures> {
  readonly help: string;
  readonly numbers: Readonly<Record<Name, NumberFlag>>;
  /** What the topic costs, with what is measured or without it. */
  costOf(
    isKept: boolean,
    options: Readonly<Record<NoInfer<Name>, number>> & TopicMeshOptions,
  ): Promise<Figures>;
  /** Of the table: what, without it, with it. */
  rows(result: Result<NoInfer<Name>, NoInfer<Figures>>): string[][];
  /** Whether nearly all that was due was done, so that the figures are of that load. */
  isDone(result: Result<NoInfer<Name>, NoInfer<Figures>>): boolean;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** A command that measures what a topic costs without something, and then with it, each on a broker and a mesh of its own. */
export async function runTopicCost<Name extends string, Figures>(
  command: Command<Name, Figures>,
): Promise<void> {
  const { help, numbers, costOf, rows, isDone } = command;
  const cleanUps: (() => Promise<unknown>)[] = [];
  const cleanUp = async (): Promise<void> => {
    for (const each of cleanUps.splice(0).reverse())
      await each().catch((error: unknown) => say(`while stopping: ${String(error)}`));
  };
  const names = Object.keys(numbers) as Name[];
  try {
    const flags = parseFlags(process.argv.slice(2), {
      ...Object.fromEntries(
        names.map((name) => [name, { type: 'string', default: String(numbers[name].default) }] as const),
      ),
      broker: { type: 'string', default: 'auto' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    });
    if (flags.help) return void process.stdout.write(help);
    const given = flags as unknown as Readonly<Record<Name, string>>;
    const load = Object.fromEntries(
      names.map((name) => [name, wholeNumber(`--${name}`, given[name], 1, numbers[name].max)]),
    ) as Record<Name, number>;
    const options = {
      ...load,
      broker: brokerChoice(flags.broker),
      say,
      atEnd: (each: () => Promise<unknown>) => void cleanUps.push(each),
    } as Readonly<Record<Name, number>> & TopicMeshOptions;
    const without = await costOf(false, options);
    await cleanUp();
    const result = { ...load, without, with: await costOf(true, options) };
    console.log(
      flags.json ? JSON.stringify(result) : tableOf([['', 'without', 'with'], ...rows(result)]).join('\n'),
    );
    if (!isDone(result)) process.exitCode = 1;
  } catch (error) {
    process.exitCode = reportFailure(error);
  } finally {
    await cleanUp();
  }
}
