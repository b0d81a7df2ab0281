import type { NodeView } from '../core/cluster/state.js';
import { attemptKey } from '../core/plan/drains.js';
import { type Answer, ManageError, notLeader } from './answers.js';
import { type CommandContext, isThere, named, namesIn, needNodes, type Of } from './context.js';
import { emptied, needWarm, shown } from './planning.js';

/** How many pinned sessions a drain closes a second, where its command does not say. */
const closesPerSecond = 10;

export async function drain(command: Of<'drain'>, c: CommandContext): Promise<Answer> {
  const nodes = needNodes(command, c);
  needWarm(c);
  const draft = emptied(command, nodes, c);
  await toEdges(
    nodes.filter((n) => n.phase !== 'draining'),
    'cordon',
    c,
  );
  if (!c.balancer.isLeading) throw notLeader();
  for (const n of nodes) {
    c.balancer.drains.set(n.node, {
      node: n.node,
      boot: n.stats.boot,
      by: c.user,
      ...(command.deadlineMs === undefined ? {} : { endsBy: c.nowMs + command.deadlineMs }),
      ...(command.closePinned === true ? { closesPerSecond: command.ratePerSecond ?? closesPerSecond } : {}),
    });
    c.balancer.forgive(attemptKey(n));
  }
  await c.balancer.save();
  return {
    ok: true,
    nodes: nodes.map((n) => n.node),
    plan: shown(draft, `draining, asked for by ${c.user}`, c),
  };
}

export async function cordon(command: Of<'cordon'>, c: CommandContext): Promise<Answer> {
  const nodes = needNodes(command, c);
  const names = nodes.map((n) => n.node);
  // Before the edges are told: a process that starts meanwhile is not.
  await c.cordonMarks.put(names);
  try {
    await toEdges(nodes, 'cordon', c);
    if (!c.balancer.isLeading) throw notLeader();
    for (const node of names) c.balancer.standing.cordons.set({ node, by: c.user, at: c.nowMs });
  } finally {
    c.cordonMarks.settle(names);
  }
  await c.balancer.save();
  return { ok: true, nodes: names };
}

export async function uncordon(command: Of<'uncordon'>, c: CommandContext): Promise<Answer> {
  const { drains, standing } = c.balancer;
  const { cordons } = standing;
  // Of a node that is not there it is only forgotten that it was to be cordoned.
  const absent = namesIn(command).filter(
    (name) => !isThere(name, c) && (cordons.wishes.has(name) || drains.has(name)),
  );
  const nodes =
    absent.length === 0
      ? needNodes(command, c)
      : named({ nodes: namesIn(command).filter((name) => !absent.includes(name)) }, c);
  const leaving = nodes.find((n) => n.phase === 'draining');
  if (leaving !== undefined) {
    throw new ManageError(
      'draining',
      `${leaving.node} is shutting down and cannot be uncordoned; start it again`,
    );
  }
  const names = [...nodes.map((n) => n.node), ...absent];
  // Before the edges are told: one that reports active meanwhile would be told the opposite.
  const lifted = names.flatMap((name) => cordons.wishes.get(name) ?? []);
  for (const name of names) cordons.wishes.delete(name);
  try {
    await c.cordonMarks.remove(names);
    await toEdges(nodes, 'uncordon', c);
    if (!c.balancer.isLeading) throw notLeader();
  } catch (error) {
    for (const wish of lifted) cordons.set(wish);
    throw error;
  }
  for (const name of names) c.balancer.withdraw(name, c.user);
  await c.balancer.save();
  return { ok: true, nodes: names, ...stillCordoned(nodes) };
}

/** Those that keep newcomers off by themselves: no operator ends that. */
function stillCordoned(nodes: readonly NodeView[]): {
  unreachable?: string[];
  lowOnMemory?: string[];
  why?: string;
} {
  const unreachable = nodes.filter((n) => n.stats.reachable === false).map((n) => n.node);
  const lowOnMemory = nodes.filter((n) => n.stats.memory?.isLow === true).map((n) => n.node);
  const whys = [
    ...(unreachable.length === 0
      ? []
      : [
          `${unreachable.join(', ')}: cordoned until clients that dial the public URL get there; the log of the edge says what it meets`,
        ]),
    ...(lowOnMemory.length === 0 ? [] : [`${lowOnMemory.join(', ')}: cordoned until it has memory again`]),
  ];
  return {
    ...(unreachable.length === 0 ? {} : { unreachable }),
    ...(lowOnMemory.length === 0 ? {} : { lowOnMemory }),
    ...(whys.length === 0 ? {} : { why: whys.join('; ') }),
  };
}

/** All of them, or none: what was done before one that cannot be reached is done back. */
async function toEdges(
  nodes: readonly NodeView[],
  command: 'cordon' | 'uncordon',
  c: CommandContext,
): Promise<void> {
  const changed: NodeView[] = [];
  try {
    for (const n of nodes) {
      const wasCordoned = c.told.isCordoned(n, c.nowMs);
      await toEdge(n, command, c);
      if (wasCordoned !== (command === 'cordon')) changed.push(n);
    }
  } catch (error) {
    const back = command === 'cordon' ? 'uncordon' : 'cordon';
    await Promise.allSettled(changed.map((n) => toEdge(n, back, c)));
    throw error;
  }
}

async function toEdge(n: NodeView, command: 'cordon' | 'uncordon', c: CommandContext): Promise<void> {
  if ((await c.sendToEdge(n.node, { command })) === 'unrouted') {
    throw new ManageError('node-unreachable', `${n.node} takes no commands at present; look whether it runs`);
  }
  c.told.note(n, command, c.nowMs);
  c.balancer.standing.cordons.told(n.node, c.nowMs);
  if (command === 'cordon') c.balancer.view.unpin(n.node, c.nowMs);
}
