import {
  type NodeSettingName,
  nodeCapacity,
  nodeSettingNames,
  nodeWeight,
  type SettingValue,
} from '@evenkeel/protocol';
import { describeSetting, parseSetting } from '@evenkeel/runtime';
import { isLiveName, liveFields, liveSetting } from '../config.js';
import { type Answer, ManageError, notLeader } from './answers.js';
import { type CommandContext, isThere, named, type Of } from './context.js';

const nodeFields = { weight: nodeWeight, capacity: nodeCapacity };
const names = Object.keys(liveFields).filter(isLiveName);
const isNodeSetting = (name: string): name is NodeSettingName =>
  nodeSettingNames.some((each) => each === name);

/** What can be set while the mesh runs, and what it is set to. */
export function settings({ balancer }: Pick<CommandContext, 'balancer'>): Answer {
  const { values, defaults } = balancer.standing.settings;
  return {
    ok: true,
    settings: names.map((name) => {
      const set = balancer.standing.settings.changeOf(name);
      const { takes, description } = describeSetting(liveFields[name]);
      const from = set === undefined ? { from: 'environment' } : { from: 'live', by: set.by, at: set.at };
      return { name, value: values[name], default: defaults[name], ...from, takes, about: description };
    }),
    nodes: [...balancer.standing.nodeSettings.wishes.values()].flatMap(({ node, by, at, ...wish }) =>
      nodeSettingNames.flatMap((name) =>
        wish[name] === undefined ? [] : [{ node, name, value: wish[name], by, at }],
      ),
    ),
  };
}

/** Sets one of them, or has it back as the environment says. */
export function set(command: Of<'set'>, c: CommandContext): Promise<Answer> {
  return command.node === undefined ? setBalancer(command, c) : setNode(command.node, command, c);
}

async function setBalancer({ name, value }: Of<'set'>, c: CommandContext): Promise<Answer> {
  const { balancer } = c;
  if (!isLiveName(name)) {
    const why = isNodeSetting(name)
      ? `${name} is of a node: name it beside ("node": …; on the command line --node NODE)`
      : `${name} cannot be set while it runs; what can be set: ${names.join(', ')}; of a node: ${nodeSettingNames.join(', ')}`;
    throw new ManageError('unknown-setting', why);
  }
  if (value === null) balancer.standing.settings.unset(name);
  else {
    const parsed = liveSetting(name, value, { by: c.user, at: c.nowMs });
    if ('takes' in parsed) throw badValue(name, value, parsed.takes);
    balancer.standing.settings.set(parsed.value);
  }
  balancer.configure();
  await balancer.save();
  const from = value === null ? 'environment' : 'live';
  return { ok: true, name, value: balancer.standing.settings.values[name], from };
}

async function setNode(node: string, { name, value }: Of<'set'>, c: CommandContext): Promise<Answer> {
  if (!isNodeSetting(name)) {
    throw new ManageError(
      'unknown-setting',
      `a node has no ${name}; what can be set: ${nodeSettingNames.join(', ')}`,
    );
  }
  const parsed = value === null ? { value: undefined } : parseSetting(nodeFields[name], value);
  if ('takes' in parsed) throw badValue(name, value, parsed.takes);
  const { nodeSettings } = c.balancer.standing;
  // Of a node that is not there it is only forgotten.
  if (value === null && !isThere(node, c) && nodeSettings.wishes.has(node)) {
    nodeSettings.set(node, name, undefined, { by: c.user, at: c.nowMs });
    await c.balancer.save();
    return { ok: true, node, name, from: 'environment' };
  }
  const [n] = named({ node }, c);
  if (n?.stats.live === undefined) {
    throw new ManageError(
      'unsupported',
      `${node} is of a version that takes no settings while it runs: restart it with a later one`,
    );
  }
  const before = nodeSettings.wishes.get(node);
  nodeSettings.set(node, name, parsed.value, { by: c.user, at: c.nowMs });
  const isSent = (await c.sendToEdge(node, nodeSettings.commandFor(node))) === 'routed';
  if (!isSent || !c.balancer.isLeading) {
    nodeSettings.undo(node, before);
    if (isSent) throw notLeader();
    throw new ManageError('node-unreachable', `${node} takes no commands at present; look whether it runs`);
  }
  nodeSettings.told(node, c.nowMs);
  await c.balancer.save();
  const shown = parsed.value === undefined ? { from: 'environment' } : { value: parsed.value, from: 'live' };
  return { ok: true, node, name, ...shown };
}

const badValue = (name: string, value: SettingValue | null, takes: string): ManageError =>
  new ManageError('bad-value', `${name} is ${JSON.stringify(value)}; it takes ${takes}`);
