import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Broker, BrokerError } from '@evenkeel/broker';
import type { Attack } from '../attack.js';
import { sinkQueue, type World } from '../world.js';

/** One user of the broker, who tries what is not its. */
async function as<T>(world: World, user: string, act: (broker: Broker) => Promise<T>): Promise<T> {
  const url = world.at.amqp[user] ?? '';
  const broker = await Broker.connect({ url, name: `attack ${user}`, attempts: 3 });
  try {
    return await act(broker);
  } finally {
    await broker.close();
  }
}

async function outcome(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'allowed';
  } catch (error) {
    if (error instanceof BrokerError && /refused for user|user_id property/.test(error.message))
      return 'refused';
    throw error;
  }
}

/** A command as this user, by this exchange and key; the answer, or how it was turned away. */
async function command(
  world: World,
  user: string,
  way: { exchange: string; key: string; userId?: string },
  body: object,
): Promise<string> {
  return as(world, user, async (broker) => {
    const replyTo = `operator.attack-${randomUUID()}`;
    const answers: string[] = [];
    try {
      await broker.topology({ channels: 1 }).declareQueue({ name: replyTo, exclusive: true, durable: false });
      await broker.consumers({ channels: 1 }).consume(replyTo, {
        onDelivery: (delivery) => {
          answers.push(delivery.body.toString());
          delivery.ack();
        },
      });
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      // It may have no queue of its own: then nothing comes back.
    }
    const { exchange, key, userId } = way;
    const options = { replyTo, correlationId: '1', mandatory: true, ...(userId !== undefined && { userId }) };
    const sent = await outcome(broker.publisher().publish(exchange, key, JSON.stringify(body), options));
    if (sent === 'refused') return 'refused by the broker';
    for (let waited = 0; answers.length === 0 && waited < 2000; waited += 50) await sleep(50);
    const [answer] = answers;
    if (answer === undefined) return 'no answer';
    const { ok, error } = JSON.parse(answer) as { ok: boolean; error?: { code: string } };
    return ok ? 'CARRIED OUT' : (error?.code ?? 'refused');
  });
}

const roles: Attack = {
  name: 'commands-of-wrong-roles',
  once: 'a command without a user was carried out, as `anonymous`',
  control: 'quiet',
  async run(world) {
    const answers = new Map<string, string>();
    const body = { command: 'cordon', node: world.at.edges[0]?.node };
    const operate = { exchange: 'mesh.manage', key: 'operate.cordon' };
    for (const user of ['viewer', 'api', 'app-shop', 'gateway', 'edge']) {
      answers.set(user, await command(world, user, { ...operate, userId: user }, body));
      answers.set(
        `${user} by the queue`,
        await command(world, user, { exchange: '', key: 'mesh.manage', userId: user }, body),
      );
    }
    answers.set(
      'viewer, key of a view',
      await command(world, 'viewer', { exchange: 'mesh.manage', key: 'view.status', userId: 'viewer' }, body),
    );
    answers.set('operator without a name', await command(world, 'operator', operate, body));
    answers.set(
      'operator as console',
      await command(world, 'operator', { ...operate, userId: 'console' }, body),
    );
    const carried = [...answers].filter(([, answer]) => answer === 'CARRIED OUT');
    return {
      sent: `cordon, ${answers.size} ways: by viewer, api, app-shop, gateway and edge, without a user, under another's name`,
      answered: [...new Set(answers.values())].join(', ') + carried.map(([who]) => `; by ${who}!`).join(''),
      isRefused: carried.length === 0,
    };
  },
};

const replyTo: Attack = {
  name: 'answers-to-others',
  once: 'an answer with all nodes went into a session’s queue and to its client; another overwrote the saved plan',
  control: 'quiet',
  async run(world) {
    const victim = await world.attach('victim-of-answers');
    const uid = 'victim-of-answers';
    await as(world, 'operator', async (broker) => {
      for (const target of [`session.${uid}.${victim.place.session}`, 'mesh.plan', 'mesh.leader']) {
        const options = { replyTo: target, correlationId: '1', userId: 'operator' };
        await broker.publisher().publish('mesh.manage', 'view.status', '{"command":"status"}', options);
      }
    });
    await world.until(victim, () => victim.frames.some(({ t }) => t !== 'welcome'), 2000);
    const came = victim.frames
      .filter(({ t }) => !['welcome', 'pong', 'subscribed'].includes(t))
      .map(({ t }) => t);
    const still = await command(
      world,
      'operator',
      { exchange: 'mesh.manage', key: 'view.status', userId: 'operator' },
      { command: 'status' },
    );
    return {
      sent: 'status with reply_to a session, the plan, the leader',
      answered: `${came.length} frames reached the client; the balancer then: ${still === 'CARRIED OUT' ? 'answers' : still}`,
      isRefused: came.length === 0 && still === 'CARRIED OUT',
    };
  },
};

const statistics: Attack = {
  name: 'forged-statistics',
  once: '21 of 40 clients were sent to the attacker’s address, with tickets that opened the true edge',
  control: 'quiet',
  async run(world) {
    const tried: string[] = [];
    for (const user of ['app-shop', 'operator', 'viewer', 'api', 'gateway']) {
      const publish = (broker: Broker) => broker.publisher().publish('mesh.stats', 'stats.edge-1', '{}');
      tried.push(await as(world, user, (broker) => outcome(publish(broker))));
    }
    const evil = {
      v: 1,
      node: 'zz-evil',
      boot: 'b',
      url: 'ws://evil.example/ws',
      state: 'active',
      capacity: 16_000,
    };
    await as(world, 'edge', async (broker) => {
      for (let seq = 1; seq <= 3; seq++) {
        await broker
          .publisher()
          .publish('mesh.stats', 'stats.zz-evil', JSON.stringify({ ...evil, seq, at: Date.now() }));
        await sleep(300);
      }
    });
    const nodes: string[] = [];
    for (let n = 0; n < 20; n++) nodes.push((await world.place(world.token(`placed-${n}`))).node);
    const led = nodes.filter((node) => node === 'zz-evil').length;
    return {
      sent: 'statistics of edge-1 by five users, and of a node elsewhere by one that may report',
      answered: `${tried.filter((each) => each === 'refused').length} of ${tried.length} refused; ${led} of ${nodes.length} clients sent there`,
      isRefused: tried.every((each) => each === 'refused') && led === 0,
    };
  },
};

const foreignQueues: Attack = {
  name: 'queues-and-exchanges-of-others',
  control: 'quiet',
  async run(world) {
    const victim = await world.attach('victim-of-queues');
    const queue = `session.victim-of-queues.${victim.place.session}`;
    const tried: string[] = [];
    for (const user of ['app-shop', 'operator', 'api']) {
      await as(world, user, async (broker) => {
        const topology = broker.topology({ channels: 1 });
        const consumer = { onDelivery: (d: { requeue(): void }) => d.requeue(), recovers: false };
        tried.push(await outcome(broker.consumers({ channels: 1 }).consume(queue, consumer)));
        tried.push(await outcome(topology.deleteQueue(queue)));
        tried.push(await outcome(topology.deleteExchange('mesh.events')));
        tried.push(await outcome(broker.publisher().publish('mesh.control', 'edge.edge-1', '{}')));
        tried.push(await outcome(broker.publisher().publish('', queue, '{}')));
      });
    }
    const allowed = tried.filter((each) => each === 'allowed').length;
    return {
      sent: "app-shop, operator and api: consume and delete a session's queue, write to it and to mesh.control, delete mesh.events",
      answered: `${tried.length - allowed} refused, ${allowed} allowed`,
      isRefused: allowed === 0 && victim.isOpen,
    };
  },
};

const questions: Attack = {
  name: 'flood-of-questions',
  once: '12,000 `where` delayed `status` by 5.6 s',
  control: 'sink',
  async run(world) {
    const status = async (): Promise<number> => {
      if (world.isSink) return 0;
      const beganAt = performance.now();
      const way = { exchange: 'mesh.manage', key: 'view.status', userId: 'operator' };
      await command(world, 'operator', way, { command: 'status' });
      return performance.now() - beganAt;
    };
    const beforeMs = await status();
    let sent = 0;
    const tookMs = await as(world, 'viewer', async (broker) => {
      const publisher = broker.publisher();
      const options = {
        replyTo: 'operator.nobody',
        correlationId: '1',
        ...(!world.isSink && { userId: 'viewer' }),
      };
      const [exchange, key] = world.isSink ? ['', sinkQueue] : ['mesh.manage', 'view.where'];
      const all: Promise<unknown>[] = [];
      for (; sent < 4000; sent++) {
        const body = '{"command":"where","user":"alice"}';
        all.push(publisher.publish(exchange, key, body, options));
      }
      // All of them are in the queue; whatever is asked now is behind them.
      await Promise.all(all);
      return status();
    });
    return {
      sent: `${sent} × where by a viewer, then status by an operator`,
      answered: `status after ${Math.round(tookMs)} ms, before it ${Math.round(beforeMs)} ms`,
      isRefused: tookMs < 2000 + 5 * beforeMs,
    };
  },
};

const takeover: Attack = {
  name: 'forged-takeover',
  once: 'it closed a user’s socket; a ring of 3,000,000 points froze an edge for 6.3 s',
  control: 'quiet',
  async run(world) {
    const victim = await world.attach('victim-of-takeover');
    const tried: string[] = [];
    for (const user of ['app-shop', 'operator', 'viewer', 'api', 'gateway']) {
      const { session } = victim.place;
      const body = {
        v: 1,
        type: 'takeover',
        uid: 'victim-of-takeover',
        sid: session,
        epoch: 9e15,
        node: 'zz-evil',
      };
      const publish = (broker: Broker) =>
        broker.publisher().publish('mesh.control', `edge.${victim.place.node}`, JSON.stringify(body));
      tried.push(await as(world, user, (broker) => outcome(publish(broker))));
    }
    // Edges may speak to each other, and not command each other.
    await as(world, 'edge', async (broker) => {
      const ring = { v: 1, type: 'reconnect', commands: [], ring: { points: 3_000_000 } };
      await broker.publisher().publish('mesh.control', `edge.${victim.place.node}`, JSON.stringify(ring));
    });
    await world.until(victim, () => victim.closed !== undefined, 1500);
    return {
      sent: 'a takeover by five users who are no edge; by one that is, a command with a ring of 3,000,000 points',
      answered: `${tried.filter((each) => each === 'refused').length} of ${tried.length} refused; the socket is ${victim.isOpen ? 'open' : 'closed'}`,
      isRefused: tried.every((each) => each === 'refused') && victim.isOpen,
    };
  },
};

const bigEvent: Attack = {
  name: 'event-of-20-mb',
  once: 'events of all others on that edge waited 1.3 s, and it grew by 240 MB',
  control: 'sink',
  maxGrowthMib: 160,
  async run(world) {
    const peer = await world.attach('big');
    await world.publish('big', 'huge', 'x'.repeat(20 * 1024 * 1024));
    await world.until(peer, () => peer.of('gap').length > 0, 8000);
    const reasons = peer.of('gap').map(({ reason }) => String(reason));
    return {
      sent: 'one event of 20 MiB to one user',
      answered: `gap ${reasons.join(', ') || 'none'}, ${peer.of('event').length} events`,
      isRefused: reasons.includes('too-large') && peer.of('event').length === 0,
    };
  },
};

const oddMessages: Attack = {
  name: 'odd-amqp-messages',
  control: 'quiet',
  async run(world) {
    const peer = await world.attach('odd');
    await as(world, 'app-shop', async (broker) => {
      const publisher = broker.publisher();
      const odd: object[] = [
        { timestamp: 9_223_372_036_854_776_000 },
        { headers: { tracestate: 'a=b,'.repeat(12_000) } },
        { headers: { 'x-big': 'x'.repeat(50_000), 'evenkeel-at': 'soon' } },
        { contentEncoding: 'gzip' },
        { contentType: 'application/json; charset=nonsense' },
        { messageId: '\u0000'.repeat(100) },
      ];
      for (const properties of odd)
        await publisher.publish('mesh.events', 'user.odd.x', '{"a":1}', properties);
      await publisher.publish('mesh.events', 'user.odd.x', '{"a":{"a":1,"a":2}');
      await publisher.publish('mesh.events', 'user.odd.last', '{}');
    });
    await world.until(peer, () => peer.of('event').length >= 8, 5000);
    const largest = Math.max(0, ...peer.of('event').map((frame) => JSON.stringify(frame).length));
    const late = peer.of('event').filter(({ at }) => Number(at) > Date.now() + 1e12).length;
    return {
      sent: 'times, headers, encodings and ids that are none, 48 KB of tracestate',
      answered: `${peer.of('event').length} events came, the largest of ${largest} characters, ${late} with a mad time`,
      isRefused: peer.of('event').length === 8 && largest < 8192 && late === 0 && peer.isOpen,
    };
  },
};

export const brokerAttacks: readonly Attack[] = [
  roles,
  replyTo,
  statistics,
  foreignQueues,
  questions,
  takeover,
  bigEvent,
  oddMessages,
];
