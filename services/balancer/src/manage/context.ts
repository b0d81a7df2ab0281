import { type AmqpFigures, type CommandOf, type ManageCommand, manageErrors } from '@evenkeel/protocol';
import type { Balancer } from '../core/balancer.js';
import type { NodeView } from '../core/cluster/state.js';
import type { CordonMarks } from '../store/cordon-marks.js';
import { ManageError } from './answers.js';
import type { Denying } from './denying.js';
import type { Found, Question } from './edge-queries.js';
import type { EventLog } from './event-log.js';
import type { Told } from './told.js';

/** What a command to an edge that is sent at once says. */
type DirectCommand = CommandOf<'cordon' | 'uncordon' | 'set' | 'leave-broker'>;

/** What every command is carried out with. */
export interface CommandContext {
  readonly balancer: Balancer;
  readonly leader: { id: string; since: number };
  /** Connections of this balancer to RabbitMQ. */
  amqp(): Iterable<readonly [string, AmqpFigures]>;
  readonly nowMs: number;
  /** Who asks, as the broker has validated it; else `anonymous`. */
  readonly user: string;
  readonly told: Told;
  readonly cordonMarks: Pick<CordonMarks, 'put' | 'settle' | 'remove'>;
  sendToEdge(node: string, command: DirectCommand): Promise<'routed' | 'unrouted'>;
  readonly denying: Denying;
  readonly events: EventLog;
  /** Asks every edge, or one. */
  ask(question: Question, node?: string): Promise<Found>;
  /** How many messages wait in a session's queue; undefined: there is none, or the broker does not say. */
  queued(uid: string, sid: string): Promise<number | undefined>;
}

/** A command of this name. */
export type Of<C extends ManageCommand['command']> = Extract<ManageCommand, { command: C }>;

interface Naming {
  node?: string | undefined;
  nodes?: string[] | undefined;
}

export const namesIn = ({ node, nodes = [] }: Naming): string[] => [
  ...new Set([...nodes, ...(node === undefined ? [] : [node])]),
];

export const isThere = (name: string, { balancer, nowMs }: CommandContext): boolean =>
  (balancer.view.get(name, nowMs)?.phase ?? 'gone') !== 'gone';

/** The nodes that a command names. */
export function named(command: Naming, c: CommandContext): NodeView[] {
  return namesIn(command).map((name) => {
    const node = c.balancer.view.get(name, c.nowMs);
    if (node === undefined || node.phase === 'gone') {
      const known = c.balancer.view.nodes(c.nowMs).filter((n) => n.phase !== 'gone');
      const list = known.map((n) => n.node).join(', ') || 'none';
      throw new ManageError('unknown-node', `there is no node ${name}; known nodes: ${list}`);
    }
    return node;
  });
}

export function needNodes(
  command: Of<'drain'> | Of<'cordon'> | Of<'uncordon'>,
  c: CommandContext,
): NodeView[] {
  const nodes = named(command, c);
  if (nodes.length === 0)
    throw new ManageError(
      manageErrors.badCommand,
      `name a node: {"command": "${command.command}", "node": …}`,
    );
  return nodes;
}
