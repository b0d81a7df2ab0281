import type { NodeView } from '../core/cluster/state.js';
import { type Answer, ManageError } from './answers.js';
import { type CommandContext, named, type Of } from './context.js';

/**
 * Has edges keep away from one of several brokers, and their sessions' queues leave it; with `node` that edge's connections as well, which
 * is to be empty then: topics are told a gap where their edge connects anew.
 */
export async function leaveBroker(command: Of<'leave-broker'>, c: CommandContext): Promise<Answer> {
  const { node } = command;
  const there = c.balancer.view.nodes(c.nowMs).filter(({ phase }) => phase !== 'gone');
  const broker = brokerNamed(command.broker, there);
  const nodes = node === undefined ? there : named({ node }, c);
  for (const each of nodes) needSeveral(each, broker);
  if (node !== undefined) for (const each of nodes) needEmpty(each);
  const connections = node === undefined ? {} : ({ connections: true } as const);
  for (const each of nodes) {
    const outcome = await c.sendToEdge(each.node, { command: 'leave-broker', broker, ...connections });
    if (outcome === 'unrouted')
      throw new ManageError('node-unreachable', `${each.node} takes no commands at present; try again`);
  }
  return { ok: true, broker, nodes: nodes.map((each) => each.node) };
}

/** The one of the brokers that edges have addresses of: by `host:port`, or by its host where that is enough. */
function brokerNamed(name: string, nodes: readonly NodeView[]): string {
  const known = [...new Set(nodes.flatMap(({ stats }) => stats.brokers?.known ?? []))].sort();
  const found = known.filter((each) => each === name || each.slice(0, each.lastIndexOf(':')) === name);
  const [broker] = found;
  if (broker !== undefined && found.length === 1) return broker;
  if (known.length === 0) {
    const what = 'no edge has several addresses of RabbitMQ in EVENKEEL_AMQP_URL, so there is none to leave';
    throw new ManageError('unknown-broker', what);
  }
  const what = found.length > 1 ? `${name} may be ${found.join(' or ')}` : `no edge has a broker ${name}`;
  throw new ManageError('unknown-broker', `${what}; there are ${known.join(', ')}`);
}

function needSeveral({ node, stats: { brokers } }: NodeView, broker: string): void {
  if (brokers === undefined)
    throw new ManageError(
      'one-broker',
      `${node} has one address of RabbitMQ, or is of an older version; give it all in EVENKEEL_AMQP_URL`,
    );
  if (!brokers.known.includes(broker) || brokers.known.length < 2)
    throw new ManageError(
      'one-broker',
      `${node} has no address of ${broker}; give every edge all of them, written alike`,
    );
}

function needEmpty({ node, stats: { state, sessions } }: NodeView): void {
  if (state !== 'active' && sessions === 0) return;
  throw new ManageError('not-empty', `${node} has sessions, or takes some; drain it first`);
}
