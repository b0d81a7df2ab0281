import { setTimeout as passed } from 'node:timers/promises';
import type { NodeStatus } from '@evenkeel/protocol';
import { OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';
import { follow } from './follow.js';
import { isUnanswered, wholeStatusMeanwhile } from './meanwhile.js';
import type { CommonOptions } from './options.js';
import type { CommandPorts } from './ports.js';
import { Unfinished, whoStayed } from './stayed.js';
import { counted } from './table.js';
import type { Terminal } from './terminal.js';

/** Between two looks, ms. */
const everyMs = 500;
/** Statistics this old tell nothing of what was commanded just now, ms. */
const reportMs = 2_500;
/** An edge that still has connections there after this cannot make them elsewhere, ms. */
const reconnectMs = 30_000;
/** Edges that have started since are told as well, so often, ms. */
const tellMs = 5_000;
/** So many looks in a row show that there is none. */
const looksAtNone = 4;
/** Queues that stay where they are for so long belong to clients that do not acknowledge, ms. */
const stalledMs = 60_000;

/** Adds `drain-broker`. */
export function addDrainBrokerCommand(ports: CommandPorts): void {
  const { command, show, withOperator, terminal } = ports;
  command('drain-broker', 'have nothing depend on one broker of several, so that it can be restarted')
    .argument('<broker>', 'host:port, host, or name of the RabbitMQ node')
    .action((name: string, options: CommonOptions) =>
      withOperator(options, async (operator) => {
        const answer = await drainBroker(operator, ports.brokerOf(name), terminal);
        show(options, answer, () => textOf(answer));
      }),
    );
}

/** What was done. */
export interface Drained {
  readonly ok: true;
  /** `host:port` */
  readonly broker: string;
  /** Edges whose connections were there. */
  readonly reconnected: readonly string[];
  /** Sessions whose queues went elsewhere, or might have been there. */
  readonly queues: number;
}

function textOf({ broker, reconnected, queues }: Drained): string {
  const edges =
    reconnected.length === 0 ? 'no edge was connected to it' : `${reconnected.join(', ')} went elsewhere`;
  return [
    `${broker}: ${edges}; ${counted(queues, 'queue')} of sessions checked or moved. No connected session needs it any more.`,
    'Restart it within 10 minutes; before, see that no quorum queue needs it: rabbitmq-queues check_if_node_is_quorum_critical',
  ].join('\n');
}

/**
 * Each edge that is connected to the broker is drained, one after the other, connects elsewhere and takes clients again; then every queue of
 * a session that may live there goes to another broker. Idempotent: what was done before it was interrupted is not done again.
 * `rest`: a pause that an interrupt does not end.
 * @throws OperatorError `interrupted`, `unfinished`, and the balancer's own.
 */
export async function drainBroker(
  operator: Operator,
  name: string,
  terminal: Terminal,
  now: () => number = () => performance.now(),
  rest: (ms: number) => Promise<unknown> = (ms) => passed(ms),
): Promise<Drained> {
  const { broker } = await operator.leaveBroker({ broker: name });
  const say = (text: string) => terminal.err(`${text}\n`);
  const pause = async (ms: number): Promise<void> => {
    await terminal.sleep(ms);
    if (terminal.isInterrupted)
      throw new OperatorError('interrupted', `not finished; evenkeel drain-broker ${broker} goes on`);
  };
  const reconnected: string[] = [];
  for (;;) {
    const node = await connectedTo(operator, { broker, pause, now });
    if (node === undefined) break;
    say(`${node.node} is connected to ${broker}: it is drained, connects elsewhere, and takes clients again`);
    await reconnect(operator, node, { broker, terminal, pause, now, rest });
    reconnected.push(node.node);
  }
  const queues = await untilLeft(operator, { broker, say, pause, now });
  return { ok: true, broker, reconnected, queues };
}

interface Work {
  readonly broker: string;
  pause(ms: number): Promise<void>;
  now(): number;
}

const present = async (operator: Operator, { pause, now }: Work): Promise<NodeStatus[]> =>
  (await wholeStatusMeanwhile(operator, pause, now)).nodes.filter(({ state }) => state !== 'gone');

const connectedTo = async (operator: Operator, work: Work): Promise<NodeStatus | undefined> =>
  (await present(operator, work)).find(({ brokers }) => brokers?.at.includes(work.broker));

async function reconnect(
  operator: Operator,
  { node, state }: NodeStatus,
  { rest, ...work }: Work & { readonly terminal: Terminal; rest(ms: number): Promise<unknown> },
): Promise<void> {
  const wasOpen = state !== 'cordoned' && state !== 'draining';
  try {
    await emptied(operator, node, work);
  } finally {
    // Also where it was interrupted: what was not asked for does not stay.
    if (wasOpen) await reopened(operator, node, rest, work.now);
  }
}

/** An edge that has just connected elsewhere takes commands a moment later. */
async function reopened(
  operator: Operator,
  node: string,
  rest: (ms: number) => Promise<unknown>,
  now: () => number,
): Promise<void> {
  const endsAtMs = now() + reconnectMs;
  for (;;) {
    try {
      await operator.uncordon({ node });
      return;
    } catch (error) {
      if (!isLater(error) || now() > endsAtMs) throw error;
    }
    await rest(everyMs);
  }
}

/** Drains it, and has it connect elsewhere. */
async function emptied(
  operator: Operator,
  node: string,
  { broker, terminal, pause, now }: Work & { readonly terminal: Terminal },
): Promise<void> {
  await operator.drain({ node });
  const { stayed = [], ...end } = await follow(operator, { kind: 'empty', nodes: [node] }, terminal, now);
  if (end.state !== 'done') {
    const why = `${end.outcome ?? 'its sessions stayed'}; ${node} stays connected to ${broker}`;
    throw new Unfinished(why, await whoStayed(operator, stayed));
  }
  const endsAtMs = now() + reconnectMs;
  while (!(await isTold(operator, broker, node))) {
    if (now() > endsAtMs)
      throw new OperatorError(
        'unfinished',
        `${node} has sessions again, or takes no commands; evenkeel drain-broker ${broker} goes on`,
      );
    await pause(everyMs);
  }
  const look = async () =>
    (await present(operator, { broker, pause, now })).find((each) => each.node === node);
  while (isAt(await look(), broker)) {
    if (now() > endsAtMs)
      throw new OperatorError(
        'unfinished',
        `${node} does not connect to another broker than ${broker}; see its log`,
      );
    await pause(everyMs);
  }
}

/** It may be otherwise a moment later. */
const isLater = (error: unknown): boolean =>
  isUnanswered(error) || (error instanceof OperatorError && error.code === 'node-unreachable');

/** An edge is empty a moment before it says so. */
async function isTold(operator: Operator, broker: string, node: string): Promise<boolean> {
  try {
    await operator.leaveBroker({ broker, node });
    return true;
  } catch (error) {
    // Nor does it take commands at once after a loss.
    if (isLater(error) || (error instanceof OperatorError && error.code === 'not-empty')) return false;
    throw error;
  }
}

/** It may be connected there still. */
const isAt = (node: NodeStatus | undefined, broker: string): boolean =>
  node?.brokers === undefined || node.brokers.at.length === 0 || node.brokers.at.includes(broker);

/** Resolves with how many there were when no queue may live there any more. */
async function untilLeft(
  operator: Operator,
  { broker, say, pause, now }: Work & { say(text: string): void },
): Promise<number> {
  let most = 0;
  let last = Number.POSITIVE_INFINITY;
  let progressAtMs = now();
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let looksWithout = 0;
  for (;;) {
    // One that takes no commands yet is told the next time.
    await operator.leaveBroker({ broker }).catch((error: unknown) => {
      if (!isLater(error)) throw error;
    });
    const toldAtMs = now();
    await pause(reportMs);
    while (now() - toldAtMs < tellMs) {
      const nodes = await present(operator, { broker, pause, now });
      const leaving = nodes.map((each) =>
        each.leaving?.broker === broker && each.state !== 'suspect' ? each.leaving.queues : undefined,
      );
      const left = leaving.reduce<number>((sum, each) => sum + (each ?? 0), 0);
      most = Math.max(most, left);
      if (left !== last) progressAtMs = now();
      last = left;
      // A session on its way between two edges may be counted by neither.
      looksWithout = left === 0 && !leaving.includes(undefined) ? looksWithout + 1 : 0;
      if (looksWithout === looksAtNone) return most;
      if (now() - shownAtMs >= tellMs) {
        say(`${counted(left, 'queue')} of sessions may be on ${broker} still`);
        shownAtMs = now();
      }
      if (now() - progressAtMs > stalledMs)
        throw new OperatorError(
          'unfinished',
          `${counted(left, 'queue')} of sessions may be on ${broker} still: their clients do not acknowledge what they get. They are told a gap if it is restarted now; evenkeel drain-broker ${broker} goes on`,
        );
      await pause(everyMs);
    }
  }
}
