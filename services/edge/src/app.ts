import { randomBytes } from 'node:crypto';
import { Mesh } from '@evenkeel/mesh';
import { closeCodes, type NodeState } from '@evenkeel/protocol';
import type { ServiceContext } from '@evenkeel/runtime';
import { TicketOffice } from '@evenkeel/ticket';
import { type EdgeConfig, publicUrlOf } from './config.js';
import { Commands } from './control/commands.js';
import { edgeMetrics } from './metrics.js';
import { Departures } from './move/departures.js';
import { drain } from './move/drain.js';
import { Takeovers } from './move/takeovers.js';
import type { SessionContext } from './session/context.js';
import { Directory } from './session/directory.js';
import { SessionTally } from './session/load.js';
import { Session } from './session/session.js';
import { Reporter } from './stats/reporter.js';
import { TopicHub } from './topic/hub.js';
import { UwsTransport } from './transport/uws/server.js';

const sweepMs = 1_000;

/** Builds an edge and says in which order its parts start and stop. */
export function build(config: EdgeConfig, { lifecycle, log, signal, ops }: ServiceContext): void {
  const boot = randomBytes(8).toString('base64url');
  const now = () => Date.now();
  let state: NodeState = 'active';
  let url = '';

  const mesh = new Mesh({ url: config.amqpUrl, name: `edge ${config.node}`, log });
  const { consuming, publisher } = mesh;
  const topology = consuming.topology();
  const sessionConsumers = consuming.consumers({ channels: 64, prefetch: config.window });
  const ownConsumers = consuming.consumers({ channels: 2, prefetch: 512 });
  const office = new TicketOffice(config.secret);
  const directory = new Directory();
  const tally = new SessionTally();

  const server: UwsTransport = new UwsTransport({ ...config, now }, office, {
    get isOpen() {
      return state !== 'draining' && server.counts.open < config.capacity;
    },
    onOpen: (connection) => {
      const session = new Session(context, connection);
      connection.owner = session;
      session.start();
    },
  });
  const hub = new TopicHub({
    mesh,
    node: config.node,
    boot,
    publish: (topic, frame) => server.publish(topic, frame),
    now,
    log,
  });
  const takeovers = new Takeovers(config, boot, publisher, directory, log);
  const reporter: Reporter = new Reporter({
    config,
    boot,
    url: () => url,
    state: () => state,
    counts: server.counts,
    tally,
    directory,
    departures: () => departures,
    publisher,
    now,
  });
  const departures: Departures = new Departures(config, office, directory, now, (moves) =>
    reporter.moved(moves),
  );
  const context: SessionContext = {
    config,
    boot,
    topology,
    consumers: sessionConsumers,
    publisher,
    hub,
    takeovers,
    directory,
    tally,
    log,
    now,
  };
  const commands = new Commands({
    config,
    boot,
    broker: consuming,
    topology,
    consumers: ownConsumers,
    publisher,
    directory,
    departures,
    takeovers,
    cordon: (isCordoned) => {
      if (state !== 'draining') state = isCordoned ? 'cordoned' : 'active';
      reporter.publishNow();
    },
    now,
    log,
  });
  let sweeper: NodeJS.Timeout | undefined;

  edgeMetrics(ops.metrics, {
    counts: server.counts,
    tally,
    topics: hub,
    stats: () => reporter.stats,
  });
  ops.readiness('broker', () => mesh.readiness());
  ops.readiness('topics', () => hub.readiness());
  ops.readiness('accepting', () => state !== 'draining' || 'draining');
  ops.status(() => ({ boot, url, state, ...reporter.stats }));

  lifecycle
    .add('broker', { start: () => mesh.start(signal), stop: () => mesh.stop() })
    // Its queue must exist before a client can ask for a topic, and takes the fences of moves.
    .add('topics', { start: () => hub.start(signal), stop: () => hub.stop() })
    // Another edge must be able to ask this one for a session as soon as it can hold one.
    .add('commands', { start: () => commands.start(), stop: () => commands.stop() })
    .add('sockets', {
      start: async () => {
        const port = await server.listen();
        url = publicUrlOf(config, port);
        log.info({ url, node: config.node, boot }, 'listening');
      },
      stop: () => {
        for (const session of [...directory.tracked()]) session.close(closeCodes.drained);
        server.close();
      },
    })
    .add('sweeps', {
      start: () => {
        sweeper = setInterval(() => {
          const nowMs = now();
          for (const session of [...directory.tracked()]) session.sweep(nowMs);
        }, sweepMs);
      },
      stop: () => clearInterval(sweeper),
    })
    // Last to start: from here on the gateway sends clients. Stops after the drain, which the balancer follows through it.
    .add('statistics', { start: () => reporter.start(), stop: () => reporter.stop() })
    .add('drain', {
      stopTimeoutMs: config.drainTimeoutMs + 10_000,
      stop: async () => {
        state = 'draining';
        reporter.publishNow();
        await drain(config, directory, departures, now, log);
        departures.stop();
      },
    });
}
