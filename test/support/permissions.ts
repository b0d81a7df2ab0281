import {
  Broker,
  BrokerError,
  type ConsumerChannels,
  type Publisher,
  type TopologyChannels,
} from '@evenkeel/broker';
import { exchanges, queues } from '@evenkeel/protocol';

/** Every kind of user, with the node or the application that it is of. */
export const users = [
  'edge',
  'edge-n1',
  'gateway',
  'balancer',
  'operator',
  'viewer',
  'console',
  'api',
  'app-shop',
] as const;
export type User = (typeof users)[number];

/** Something that a user tries, and who of them may. */
export interface Action {
  readonly name: string;
  readonly allowed: readonly User[];
  attempt(actor: Actor): Promise<unknown>;
}

/** A queue of each user's own, where it may have one. */
const ownQueues: Readonly<Record<User, string>> = {
  edge: 'edge.n1.own-of-edge',
  'edge-n1': 'edge.n1.own',
  gateway: 'gateway.own',
  balancer: 'balancer.own',
  operator: 'operator.own-of-operator',
  viewer: 'operator.own-of-viewer',
  console: 'operator.own-of-console',
  api: 'api.own',
  'app-shop': 'service.shop.own',
};

/** What is there before anybody tries anything; the administrator makes it. */
export const prepared = {
  session: 'session.alice.s1',
  manage: 'mesh.manage',
  plan: 'mesh.plan',
  otherService: 'service.bank.transfer',
  /** For each user to delete. */
  spareQueue: (user: User) => `mesh.spare-of-${user}`,
  spareExchange: (user: User) => `mesh.spare-exchange-of-${user}`,
  spareSession: (user: User) => `session.alice.spare-of-${user}`,
};

/** One user, connected. */
export class Actor {
  readonly user: User;
  readonly #broker: Broker;
  readonly #publisher: Publisher;
  readonly #topology: TopologyChannels;
  readonly #consumers: ConsumerChannels;

  private constructor(user: User, broker: Broker) {
    this.user = user;
    this.#broker = broker;
    this.#publisher = broker.publisher({ timeoutMs: 10_000 });
    this.#topology = broker.topology({ channels: 1 });
    this.#consumers = broker.consumers({ channels: 1 });
  }

  static async connect(user: User, url: string): Promise<Actor> {
    const actor = new Actor(user, await Broker.connect({ url, name: `permissions ${user}`, attempts: 3 }));
    await actor.declareQueue(ownQueues[user]);
    return actor;
  }

  close(): Promise<void> {
    return this.#broker.close();
  }

  publish(exchange: string, key: string, userId?: string): Promise<unknown> {
    return this.#publisher.publish(exchange, key, '{}', userId === undefined ? {} : { userId });
  }

  bind(exchange: string, key: string, queue: string = ownQueues[this.user]): Promise<void> {
    return this.#topology.bind(queue, exchange, key);
  }

  declareQueue(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return this.#topology.declareQueue({ name, durable: false, exclusive: true, arguments: args });
  }

  declareShared(name: string): Promise<unknown> {
    return this.#topology.declareQueue({ name });
  }

  declareExchange(name: string): Promise<void> {
    return this.#broker.declare({ exchanges: [{ name, type: 'topic' }] });
  }

  deleteQueue(name: string): Promise<void> {
    return this.#topology.deleteQueue(name);
  }

  deleteExchange(name: string): Promise<void> {
    return this.#topology.deleteExchange(name);
  }

  async consume(queue: string): Promise<void> {
    const consumer = await this.#consumers.consume(queue, {
      onDelivery: (d) => d.requeue(),
      recovers: false,
    });
    await consumer.cancel();
  }
}

/** How RabbitMQ says that this user may not, or is not who it says. */
const refusal = /refused for user|user_id property set to/;

/** Whether RabbitMQ lets this user do it. What fails for another reason is thrown. */
export async function isAllowed(action: Action, actor: Actor): Promise<boolean> {
  try {
    await action.attempt(actor);
    return true;
  } catch (error) {
    if (error instanceof BrokerError && refusal.test(error.message)) return false;
    throw error;
  }
}

const { events, inbound, replies, cancel, undelivered, sessions, presence } = exchanges;
const { stats, control, manage, audit, topics, ask } = exchanges;
const edges: readonly User[] = ['edge', 'edge-n1'];
const publish =
  (exchange: string, key: string) =>
  (actor: Actor): Promise<unknown> =>
    actor.publish(exchange, key);
const bind =
  (exchange: string, key: string) =>
  (actor: Actor): Promise<unknown> =>
    actor.bind(exchange, key);

export const actions: readonly Action[] = [
  // Events.
  {
    name: 'publish an event to a user',
    allowed: ['api', 'app-shop'],
    attempt: publish(events, 'user.alice.hello'),
  },
  {
    // What clients publish to each other goes through their edges.
    name: 'publish an event to a topic',
    allowed: [...edges, 'api', 'app-shop'],
    attempt: publish(events, 'topic.prices'),
  },
  { name: 'publish an event of neither form', allowed: [], attempt: publish(events, 'anything') },
  { name: 'take the events of one user', allowed: edges, attempt: bind(events, 'user.alice.#') },
  { name: 'take a topic', allowed: edges, attempt: bind(events, 'topic.prices') },
  { name: 'take the events of every user', allowed: [], attempt: bind(events, 'user.#') },
  { name: 'take the events of every user, by word', allowed: [], attempt: bind(events, 'user.*.#') },
  { name: 'take everything', allowed: [], attempt: bind(events, '#') },
  // Sessions.
  {
    name: "declare a session's queue",
    allowed: edges,
    attempt: (actor) => actor.declareShared(`session.bob.of-${actor.user}`),
  },
  {
    name: "bind a session's queue",
    allowed: edges,
    attempt: (actor) => actor.bind(events, 'user.alice.#', prepared.session),
  },
  {
    name: 'have replies come to a session',
    allowed: edges,
    attempt: (actor) => actor.bind(replies, prepared.session, prepared.session),
  },
  { name: "read a session's queue", allowed: edges, attempt: (actor) => actor.consume(prepared.session) },
  {
    name: "delete a session's queue",
    allowed: edges,
    attempt: (actor) => actor.deleteQueue(prepared.spareSession(actor.user)),
  },
  {
    name: "publish to a session's queue by its name",
    allowed: ['balancer'],
    attempt: publish('', prepared.session),
  },
  // What clients send, and answers.
  { name: 'publish what a client sent', allowed: edges, attempt: publish(inbound, 'bank.transfer') },
  { name: 'serve the own methods', allowed: ['app-shop'], attempt: bind(inbound, 'shop.#') },
  { name: "serve another application's method", allowed: [], attempt: bind(inbound, 'bank.transfer') },
  { name: 'serve every method', allowed: [], attempt: bind(inbound, '#') },
  { name: 'take the new tokens of users', allowed: ['gateway'], attempt: bind(inbound, '$refresh') },
  { name: 'serve the authorization of others', allowed: [], attempt: bind(inbound, '$authorize.#') },
  // Edges plant their seals that way.
  {
    name: 'answer a request',
    allowed: [...edges, 'gateway', 'app-shop'],
    attempt: publish(replies, prepared.session),
  },
  {
    name: "read another application's queue",
    allowed: [],
    attempt: (actor) => actor.consume(prepared.otherService),
  },
  { name: 'cancel a request', allowed: edges, attempt: publish(cancel, 'alice.s.1') },
  { name: 'learn what is cancelled', allowed: ['app-shop'], attempt: bind(cancel, 'alice.s.1') },
  // Who is where.
  { name: 'tell who is in topics on n1', allowed: edges, attempt: publish(presence, 'edge.n1') },
  { name: 'tell who is in topics on n2', allowed: ['edge'], attempt: publish(presence, 'edge.n2') },
  { name: 'learn who is in topics', allowed: [...edges, 'api'], attempt: bind(presence, 'edge.*') },
  { name: 'ask who is online', allowed: ['api', 'app-shop'], attempt: publish(presence, 'ask.online') },
  { name: 'answer who is online', allowed: edges, attempt: publish(presence, 'answer.shop.1') },
  { name: 'have the answers of another', allowed: [], attempt: bind(presence, 'answer.bank.#') },
  // What reaches a session no more, and what becomes of sessions.
  { name: 'put users into topics', allowed: ['api', 'app-shop'], attempt: publish(topics, 'join.room.1') },
  { name: 'order something else of topics', allowed: [], attempt: publish(topics, 'close.room.1') },
  { name: 'ask a client', allowed: ['api', 'app-shop'], attempt: publish(ask, 'alice.order.confirm') },
  { name: 'ask nobody', allowed: [], attempt: publish(ask, '$answer') },
  { name: 'learn what clients are asked', allowed: ['balancer'], attempt: bind(ask, '#') },
  { name: 'learn who is put into topics', allowed: ['balancer'], attempt: bind(topics, 'join.#') },
  // Of others than the balancer no edge takes it.
  {
    name: 'order a session into a topic',
    allowed: ['balancer', 'api', 'app-shop'],
    attempt: publish(events, 'user.alice.$topics'),
  },
  {
    name: 'pass a question on to a client',
    // From all but the balancer it does not count.
    allowed: ['balancer', 'api', 'app-shop'],
    attempt: publish(events, 'user.alice.$ask'),
  },

  {
    name: 'take what RabbitMQ drops',
    allowed: [...edges, 'balancer'],
    attempt: (actor) => actor.consume(queues.dropped),
  },
  { name: 'publish an undelivered event', allowed: edges, attempt: publish(undelivered, 'user.alice.x') },
  { name: 'take undelivered events', allowed: ['app-shop'], attempt: bind(undelivered, 'user.*.order.#') },
  { name: 'tell what becomes of sessions', allowed: edges, attempt: publish(sessions, 'alice.ended') },
  { name: 'tell something else of sessions', allowed: [], attempt: publish(sessions, 'alice.robbed') },
  { name: 'learn what becomes of sessions', allowed: ['app-shop'], attempt: bind(sessions, '#') },
  // Statistics.
  { name: 'report statistics of n1', allowed: edges, attempt: publish(stats, 'stats.n1') },
  { name: 'report statistics of n2', allowed: ['edge'], attempt: publish(stats, 'stats.n2') },
  { name: 'report moves of n2', allowed: ['edge'], attempt: publish(stats, 'moves.n2') },
  { name: 'report sessions of n2', allowed: ['edge'], attempt: publish(stats, 'sessions.n2') },
  { name: 'read statistics', allowed: ['gateway', 'balancer'], attempt: bind(stats, 'stats.*') },
  { name: 'read reports of moves', allowed: ['balancer'], attempt: bind(stats, 'moves.*') },
  { name: 'read reports of sessions', allowed: ['balancer'], attempt: bind(stats, 'sessions.*') },
  { name: 'read everything on statistics', allowed: [], attempt: bind(stats, '#') },
  // Commands to edges.
  { name: 'command an edge', allowed: [...edges, 'balancer'], attempt: publish(control, 'edge.n2') },
  { name: 'command every edge', allowed: [...edges, 'balancer'], attempt: publish(control, 'all') },
  { name: 'answer a question to the edges', allowed: edges, attempt: publish(control, 'reply.b1') },
  { name: 'send a fence of n2', allowed: ['edge'], attempt: publish(control, 'fence.n2.boot') },
  { name: 'take the commands to n1', allowed: edges, attempt: bind(control, 'edge.n1') },
  { name: 'take the commands to n2', allowed: ['edge'], attempt: bind(control, 'edge.n2') },
  { name: 'take the answers of the edges', allowed: ['balancer'], attempt: bind(control, 'reply.b1') },
  { name: 'take everything on control', allowed: [], attempt: bind(control, '#') },
  {
    name: 'say that the balancer sends it',
    allowed: ['balancer'],
    attempt: (actor) => actor.publish(control, 'edge.n2', 'balancer'),
  },
  {
    name: 'declare a queue of the edge n2',
    allowed: ['edge'],
    attempt: (actor) => actor.declareQueue('control.n2.stolen'),
  },
  // Management.
  {
    name: 'ask the balancer to show',
    allowed: ['operator', 'viewer', 'console'],
    attempt: publish(manage, 'view.status'),
  },
  {
    name: 'ask the balancer to act',
    allowed: ['operator', 'console'],
    attempt: publish(manage, 'operate.drain'),
  },
  {
    name: 'have the balancer end sessions',
    allowed: ['operator', 'console', 'api'],
    attempt: publish(manage, 'operate.disconnect'),
  },
  {
    name: 'publish to the management queue by its name',
    allowed: ['balancer'],
    attempt: publish('', prepared.manage),
  },
  {
    name: 'read who is kept out',
    allowed: [...edges, 'gateway', 'balancer'],
    attempt: (actor) => actor.consume(queues.denials),
  },
  { name: 'keep somebody out', allowed: ['balancer'], attempt: publish('', queues.denials) },
  {
    name: 'have events go to where it stands who is kept out',
    allowed: [],
    attempt: (actor) => actor.bind(events, 'topic.prices', queues.denials),
  },
  { name: 'take commands', allowed: ['balancer'], attempt: (actor) => actor.consume(prepared.manage) },
  {
    name: 'delete the management queue',
    allowed: ['balancer'],
    attempt: (actor) => actor.deleteQueue(prepared.spareQueue(actor.user)),
  },
  { name: 'write the audit', allowed: ['balancer'], attempt: publish(audit, 'manage.drain') },
  { name: 'read the audit', allowed: [], attempt: bind(audit, '#') },
  // The balancer's own.
  { name: 'overwrite the saved plan', allowed: ['balancer'], attempt: publish('', prepared.plan) },
  { name: 'read the saved plan', allowed: ['balancer'], attempt: (actor) => actor.consume(prepared.plan) },
  {
    name: 'lead in the place of a balancer',
    allowed: ['balancer'],
    attempt: async (actor) => {
      await actor.declareQueue('mesh.leader');
      await actor.deleteQueue('mesh.leader');
    },
  },
  {
    name: 'declare an exchange of the mesh',
    allowed: ['balancer'],
    attempt: (actor) => actor.declareExchange(inbound),
  },
  {
    name: 'delete an exchange of the mesh',
    allowed: ['balancer'],
    attempt: (actor) => actor.deleteExchange(prepared.spareExchange(actor.user)),
  },
  // Round about.
  {
    name: 'declare a queue that RabbitMQ names',
    allowed: ['operator', 'viewer', 'console'],
    attempt: (actor) => actor.declareQueue(''),
  },
  {
    name: "publish to an exchange of RabbitMQ's own",
    allowed: [],
    attempt: publish('amq.topic', 'user.alice.hello'),
  },
  {
    name: 'have dead letters go to any queue',
    allowed: ['balancer'],
    attempt: (actor) => actor.declareQueue(`${ownQueues[actor.user]}.dead`, { 'x-dead-letter-exchange': '' }),
  },
  {
    name: 'have dead letters go to edges',
    // Edges take none.
    allowed: [...edges, 'balancer'],
    attempt: (actor) =>
      actor.declareQueue(`${ownQueues[actor.user]}.control`, { 'x-dead-letter-exchange': control }),
  },
  {
    name: 'have dead letters go to management',
    // Of no use: what the broker sends on has no user that says it.
    allowed: ['balancer', 'operator', 'viewer', 'console', 'api'],
    attempt: (actor) =>
      actor.declareQueue(`${ownQueues[actor.user]}.manage`, { 'x-dead-letter-exchange': manage }),
  },
];
