import {
  type NodeSettingView,
  nodeSettingNames,
  type SettingsAnswer,
  type SettingValue,
  type SettingView,
} from '@evenkeel/protocol';
import { OperatorError } from '../errors.js';
import { node as nodeArgument } from './arguments.js';
import type { CommonOptions } from './options.js';
import { dateAndTime } from './past.js';
import type { CommandPorts } from './ports.js';
import { table } from './table.js';
import type { Paint } from './terminal.js';

interface SetOptions extends CommonOptions {
  node?: string;
  default?: boolean;
}

/** Adds `settings` and `set`. */
export function addSettingCommands({ command, show, withOperator, paint }: CommandPorts): void {
  command('settings', 'what can be set while the mesh runs, and what it is set to').action(
    (options: CommonOptions) =>
      withOperator(options, async (operator) => {
        const answer = await operator.settings();
        show(options, answer, () => settingsText(answer, paint));
      }),
  );

  command('set', 'change a setting of the balancers, or with --node of a node, while it runs')
    .argument('<setting>', `as evenkeel settings names them; of a node ${nodeSettingNames.join(' or ')}`)
    .argument('[value]')
    .option('--node <node>', 'of this node', nodeArgument)
    .option('--default', 'back to what the environment says')
    .action((name: string, text: string | undefined, options: SetOptions) =>
      withOperator(options, async (operator) => {
        const { node, default: isDefault = false } = options;
        if (isDefault === (text !== undefined))
          throw new OperatorError('usage', `give a value for ${name}, or --default`);
        const value = text === undefined ? null : readValue(text);
        const answer = await operator.set({ name, value, ...(node === undefined ? {} : { node }) });
        show(options, answer, () => {
          const what = answer.node === undefined ? answer.name : `${answer.name} of ${answer.node}`;
          if (answer.value === undefined) return `${what}: as the environment has it`;
          return `${what}: ${valueText(answer.value)} (${answer.from === 'live' ? 'live' : 'as the environment has it'})`;
        });
      }),
    );
}

/** Numbers, true and false as such; all else as it stands, as in the environment. */
export function readValue(text: string): SettingValue {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() !== '' && String(Number(text)) === text ? Number(text) : text;
}

const valueText = (value: SettingValue): string =>
  Array.isArray(value) ? value.join(',') || '(none)' : String(value) || '(none)';

/** A setting a line, and what it takes. */
function settingsText({ settings, nodes = [] }: SettingsAnswer, paint: Paint): string {
  const bold = (text: string) => paint('bold', text);
  const isLive = (setting: SettingView) => setting.from === 'live';
  const all = table(
    settings,
    [
      { title: 'SETTING', of: (s) => s.name },
      {
        title: 'VALUE',
        of: (s) => valueText(s.value),
        paint: (text, s) => (isLive(s) ? paint('yellow', text) : text),
      },
      { title: 'DEFAULT', of: (s) => (isLive(s) ? valueText(s.default) : '') },
      { title: 'SET', of: (s) => (isLive(s) ? setText(s) : '') },
      { title: 'TAKES', of: (s) => s.takes ?? '' },
    ],
    bold,
  );
  if (nodes.length === 0) return all;
  const ofNodes = table<NodeSettingView>(
    nodes,
    [
      { title: 'NODE', of: (s) => s.node },
      { title: 'SETTING', of: (s) => s.name },
      { title: 'VALUE', of: (s) => String(s.value) },
      { title: 'SET', of: setText },
    ],
    bold,
  );
  return `${all}\n\n${ofNodes}`;
}

const setText = ({ by, at }: { by?: string | undefined; at?: number | undefined }): string =>
  [by === undefined ? '' : `by ${by}`, at === undefined ? '' : dateAndTime(at)].filter(Boolean).join(' ');
