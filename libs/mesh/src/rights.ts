import { createHash } from 'node:crypto';
import { clusterTopology, exchanges, isNodeName, meshTopology, queues } from '@evenkeel/protocol';

/** What a user of the broker may do with the names of one topic exchange: keys published, keys bound. */
export interface TopicRights {
  readonly exchange: string;
  /** Of routing keys that may be published. */
  readonly write: string;
  /** Of binding keys that may be bound. */
  readonly read: string;
}

/** Regular expressions of names, as RabbitMQ has them: one set for exchanges and queues together. */
export interface Rights {
  /** Declared and deleted. */
  readonly configure: string;
  /** Published to; of queues, bound. */
  readonly write: string;
  /** Consumed and purged; of exchanges, bound to. */
  readonly read: string;
  /** A topic exchange that is written or read and not named here takes every key. */
  readonly topics: readonly TopicRights[];
}

/** Users that there is one of; beside them one per node (`edge-<node>`) and per application (`app-<name>`). */
export const fixedUsers = ['edge', 'gateway', 'balancer', 'operator', 'viewer', 'console', 'api'] as const;

/** The user of one application service. */
export const appUser = (name: string): string => `app-${name}`;
/** The user of one edge, which can report as no other. */
export const edgeUser = (node: string): string => `edge-${node}`;

/** Not a kind of user that the mesh knows. */
export class UnknownUserError extends Error {
  readonly code = 'unknown-user';

  constructor(user: string) {
    super(
      `There are no rights for a user "${user}"; there are ${fixedUsers.join(', ')}, edge-<node> and app-<name>.`,
    );
    this.name = 'UnknownUserError';
  }
}

const none = '^$';
const anyNode = '[A-Za-z0-9_-]+';
const word = '[A-Za-z0-9_~-]+';
/** Streams of the histories of topics. */
const history = 'history\\..+';
const names = (...patterns: string[]): string => `^(${patterns.join('|')})$`;
const literal = (...all: string[]): string[] => all.map((name) => name.replaceAll('.', '\\.'));

/**
 * What the user of this name may do. Where edges share the user `edge`, each may report as any other; a user of its own
 * ties an edge to its node.
 * @throws UnknownUserError
 */
export function rightsOf(user: string): Rights {
  if (user === 'edge') return edge(anyNode);
  if (user.startsWith('edge-') && isNodeName(user.slice(5))) return edge(user.slice(5));
  if (user.startsWith('app-') && isNodeName(user.slice(4))) return application(user.slice(4));
  const rights = single.get(user);
  if (rights === undefined) throw new UnknownUserError(user);
  return rights;
}

function edge(node: string): Rights {
  const own = `(edge|control)\\.${node}\\..+`;
  const session = 'session\\..+';
  return {
    configure: names(session, history, own),
    write: names(
      ...literal(exchanges.events, exchanges.inbound, exchanges.stats, exchanges.control, exchanges.presence),
      // Seals go the way of replies: by the default exchange they would take a right to every queue.
      ...literal(exchanges.replies, exchanges.cancel),
      // A queue's dead letters go where its declarer may write.
      ...literal(exchanges.dropped, exchanges.undelivered, exchanges.sessions),
      session,
      history,
      own,
    ),
    read: names(
      ...literal(exchanges.events, exchanges.control, exchanges.replies, exchanges.dropped, queues.denials),
      ...literal(exchanges.presence, queues.asked),
      session,
      history,
      own,
    ),
    topics: [
      // Never `user.#` or `user.*.#`: one binding is one user's.
      // Never to a user: only what clients publish to each other.
      { exchange: exchanges.events, write: '^topic\\..+$', read: `^(user\\.${word}\\.#|topic\\..+)$` },
      { exchange: exchanges.stats, write: `^(stats|moves|sessions)\\.${node}$`, read: none },
      { exchange: exchanges.undelivered, write: '^(user|topic)\\..+$', read: none },
      // What clients cancel has the id of their request: three words at least. Which parts were taken, who has sent them is told.
      {
        exchange: exchanges.cancel,
        write: `^(${word}\\.${word}\\.(.|\\s)+|\\$taken\\.${word})$`,
        read: none,
      },
      {
        exchange: exchanges.sessions,
        write: `^${word}\\.(opened|detached|resumed|ended)$`,
        read: none,
      },
      {
        exchange: exchanges.presence,
        write: `^(edge\\.${node}|snapshot\\.${anyNode}|who|copy\\.[^.]+|answer\\..+)$`,
        read: `^(edge\\.\\*|snapshot\\.${node}|who|copy\\.[^.]+)$`,
      },
      {
        exchange: exchanges.control,
        // To all when it does not know who holds a session.
        write: `^(edge\\.${anyNode}|all|reply\\.[^.]+|fence\\.${node}\\..+|mark\\.${anyNode})$`,
        read: `^(edge\\.${node}|all|fence\\.${node}\\..+|mark\\.${node})$`,
      },
    ],
  };
}

function application(name: string): Rights {
  const own = `service\\.${name}\\..+`;
  return {
    configure: names(own),
    write: names(
      ...literal(exchanges.events, exchanges.replies, exchanges.presence, exchanges.topics, exchanges.ask),
      own,
    ),
    read: names(
      ...literal(
        exchanges.inbound,
        exchanges.undelivered,
        exchanges.sessions,
        exchanges.cancel,
        exchanges.presence,
      ),
      own,
    ),
    topics: [
      publishing,
      // What clients send there, and what edges ask about who may.
      {
        exchange: exchanges.inbound,
        write: none,
        read: `^(\\$authorize\\.(\\*|subscribe|publish|request)\\.)?${name}(\\..+)?$`,
      },
      // Whom it may send to, it may learn of.
      { exchange: exchanges.undelivered, write: none, read: '^.+$' },
      { exchange: exchanges.sessions, write: none, read: '^.+$' },
      { exchange: exchanges.cancel, write: none, read: '^.+$' },
      { exchange: exchanges.presence, write: '^ask\\..+$', read: `^answer\\.${name}\\..+$` },
      placing,
      asking,
    ],
  };
}

const placing: TopicRights = { exchange: exchanges.topics, write: '^(join|leave)\\..+$', read: none };

/** Of clients: a user, and a method. */
const asking: TopicRights = { exchange: exchanges.ask, write: `^${word}\\..+$`, read: none };

const publishing: TopicRights = {
  exchange: exchanges.events,
  write: `^(user\\.${word}|topic)\\..+$`,
  read: none,
};

/** Who sends commands: answers come to a queue of its own, or by RabbitMQ's direct reply-to. */
const managing = (keys: string): Rights => ({
  configure: names('operator\\..+', 'amq\\.gen.*'),
  write: names(...literal(exchanges.manage)),
  read: names('operator\\..+', 'amq\\.gen.*'),
  topics: [{ exchange: exchanges.manage, write: keys, read: none }],
});

const single = new Map<string, Rights>(
  Object.entries({
    gateway: {
      configure: names('gateway\\..+'),
      write: names(...literal(exchanges.replies), 'gateway\\..+'),
      read: names(...literal(exchanges.stats, exchanges.inbound, queues.denials), 'gateway\\..+'),
      topics: [
        { exchange: exchanges.stats, write: none, read: '^(stats\\.\\*|policy)$' },
        { exchange: exchanges.inbound, write: none, read: '^\\$refresh$' },
      ],
    },
    balancer: {
      configure: names('mesh\\..+', 'balancer\\..+'),
      write: names(
        ...literal('amq.default', exchanges.control, exchanges.stats, exchanges.audit, exchanges.unrouted),
        // Orders go among the events of users.
        ...literal(queues.asked, queues.topics, queues.ask, exchanges.events),
        'mesh\\.(dead|dropped|manage|manage\\.dead|plan|leader)',
        'balancer\\..+',
      ),
      read: names(
        // An exchange with an alternate is declared by who may read it.
        ...literal(exchanges.stats, exchanges.control, exchanges.events, exchanges.presence, queues.denials),
        ...literal(queues.asked, queues.topics, queues.ask, exchanges.replies),
        'mesh\\.(dead|dropped|manage|manage\\.dead|plan|leader)',
        'balancer\\..+',
      ),
      topics: [
        { exchange: exchanges.events, write: `^user\\.${word}\\.\\$(topics|ask)$`, read: none },
        // What it may write as a queue's binder it never publishes.
        { exchange: exchanges.topics, write: none, read: '^(join|leave)\\.#$' },
        { exchange: exchanges.ask, write: none, read: '^#$' },
        { exchange: exchanges.stats, write: '^policy$', read: '^(stats|moves|sessions)\\.\\*$' },
        { exchange: exchanges.control, write: `^(edge\\.${anyNode}|all)$`, read: '^reply\\.[^.]+$' },
        { exchange: exchanges.manage, write: none, read: '^(view|operate)\\.\\*$' },
        { exchange: exchanges.presence, write: none, read: '^ask\\.#$' },
      ],
    },
    operator: managing('^(view|operate)\\..+$'),
    viewer: managing('^view\\..+$'),
    console: managing('^(view|operate)\\..+$'),
    api: {
      configure: names('api\\..+'),
      write: names(
        ...literal(exchanges.events, exchanges.presence, exchanges.manage, exchanges.topics, exchanges.ask),
        'api\\..+',
      ),
      read: names(...literal(exchanges.presence), history, 'api\\..+'),
      topics: [
        publishing,
        {
          exchange: exchanges.presence,
          write: `^(snapshot\\.${anyNode}|who|ask\\..+)$`,
          read: '^(edge\\.\\*|copy\\.[^.]+|answer\\.api\\..+)$',
        },
        { exchange: exchanges.manage, write: '^operate\\.disconnect$', read: none },
        placing,
        asking,
      ],
    },
  }),
);

/** A user with what it logs in with. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
  /** Four random bytes. */
  readonly salt: Uint8Array;
  /** May do everything everywhere. Default false: what {@link rightsOf} says. */
  readonly isAdministrator?: boolean;
}

/** A part of what `rabbitmqctl import_definitions` and `load_definitions` take. */
export interface Definitions {
  readonly users?: readonly object[];
  readonly vhosts?: readonly object[];
  readonly permissions?: readonly object[];
  readonly topic_permissions?: readonly object[];
  readonly exchanges?: readonly object[];
  readonly queues?: readonly object[];
  readonly bindings?: readonly object[];
}

/** The users themselves, who may do nothing yet. */
export function userDefinitions(all: readonly Credentials[]): Definitions {
  return {
    users: all.map(({ user, password, salt, isAdministrator }) => ({
      name: user,
      password_hash: passwordHash(password, salt),
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: isAdministrator === true ? ['administrator'] : [],
    })),
  };
}

/**
 * A virtual host with the exchanges and queues of the mesh and what these users may do there. `isCluster`: of several nodes, all of
 * which are there when it is imported.
 */
export function vhostDefinitions(
  vhost: string,
  users: readonly string[],
  administrators: readonly string[] = [],
  isCluster = false,
): Definitions {
  const topology = isCluster ? clusterTopology : meshTopology;
  const all = '.*';
  return {
    vhosts: [{ name: vhost }],
    permissions: [
      ...administrators.map((user) => ({ user, vhost, configure: all, write: all, read: all })),
      ...users.map((user) => {
        const { configure, write, read } = rightsOf(user);
        return { user, vhost, configure, write, read };
      }),
    ],
    topic_permissions: users.flatMap((user) =>
      rightsOf(user).topics.map((topic) => ({ user, vhost, ...topic })),
    ),
    exchanges: meshTopology.exchanges.map(({ name, type, durable, alternateExchange }) => ({
      name,
      vhost,
      type,
      durable,
      auto_delete: false,
      internal: false,
      arguments: alternateExchange === undefined ? {} : { 'alternate-exchange': alternateExchange },
    })),
    queues: topology.queues.map((queue) => ({ ...queue, vhost, auto_delete: false })),
    bindings: meshTopology.bindings.map(({ queue, exchange, key }) => ({
      source: exchange,
      vhost,
      destination: queue,
      destination_type: 'queue',
      routing_key: key,
      arguments: {},
    })),
  };
}

/** As RabbitMQ keeps passwords: the salt, then SHA-256 of salt and password, in base64. */
export function passwordHash(password: string, salt: Uint8Array): string {
  const hash = createHash('sha256').update(salt).update(password).digest();
  return Buffer.concat([salt, hash]).toString('base64');
}
