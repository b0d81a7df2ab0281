import { randomUUID } from 'node:crypto';
import { Broker, userOf } from '@evenkeel/broker';
import { ClockWatch, NodeUrls, silence } from '@evenkeel/cluster';
import { Denials, Mesh } from '@evenkeel/mesh';
import { steadyNow, wallNow } from '@evenkeel/pace';
import { sessionQueue } from '@evenkeel/protocol';
import { amqpMetrics, amqpTlsOf, type ServiceContext } from '@evenkeel/runtime';
import { Asking } from './asking/asking.js';
import { withClock } from './clocks.js';
import type { BalancerConfig } from './config.js';
import { Balancer, type Command } from './core/balancer.js';
import { inMaintenance } from './core/plan/maintenance.js';
import { LeaderLock } from './leader/lock.js';
import { Succession } from './leader/succession.js';
import { Term } from './leader/term.js';
import { ManageError, notLeader } from './manage/answers.js';
import { Chronicle } from './manage/chronicle.js';
import { execute } from './manage/commands.js';
import { Denying } from './manage/denying.js';
import { EdgeQueries, type Found, heardOf, type Question } from './manage/edge-queries.js';
import { Owed } from './manage/owed.js';
import { ManageServer, manageTopology } from './manage/server.js';
import { Told } from './manage/told.js';
import { warmedUp, warmUpWaitMs, warmUpWaitOf } from './manage/warm-up.js';
import { askingMetrics, balancerMetrics, guardianMetrics } from './metrics.js';
import { Guardian } from './sessions/guardian.js';
import { CordonMarks } from './store/cordon-marks.js';
import { PlanStore } from './store/plan-store.js';
import { TopicPlacements } from './topics/placements.js';

const TICK_MS = 100;
/** How often gateways are told how sessions are spread. */
const POLICY_MS = 3_000;

/** How long a command to an edge is waited for: until then it reaches the edge, or never. */
const COMMAND_WAIT_MS = 5_000;

/** Whoever asks by direct reply-to asks again: its answer is tried no longer. */
const DIRECT_ANSWER_MS = 1_000;

/** No queue has this name. */
const NOWHERE = { exchange: '', key: 'balancer.probe' };
/** What an alarm of RabbitMQ means here. */
const IN_ALARM = 'nobody is moved, and no command is answered';

/** Builds a balancer and says in which order its parts start and stop. */
export function build(config: BalancerConfig, { lifecycle, log, signal, ops }: ServiceContext): void {
  const tls = amqpTlsOf(config);
  const mesh = new Mesh({
    url: config.amqpUrl,
    tls,
    name: `balancer ${config.id}`,
    log,
    topology: 'declare',
    publishTimeoutMs: COMMAND_WAIT_MS,
    // One that does not lead says nothing by itself.
    probe: { ...NOWHERE, isWanted: () => balancer.view.silentMs(steadyNow()) !== undefined },
  });
  const store = new PlanStore(mesh, log, {
    // What was in it may have gone with it.
    onRemade: () => {
      void balancer.save();
      cordonMarks.doubt();
    },
    mayWrite: () => lock.isSure,
  });
  const toEdge = (node: string, command: Command) =>
    mesh.control.send(node, withClock(node, command, balancer.view.clocks), COMMAND_WAIT_MS);
  const chronicle = new Chronicle(wallNow);
  const balancer: Balancer = new Balancer(
    {
      send: (node, command, onUnrouted) => {
        // What is not sent now is sent by whoever leads: one that was frozen commands nothing late.
        if (!lock.isSure) return;
        if (command.command === 'reconnect') {
          const { move, to, count: sessions } = command;
          log.debug(
            { plan: balancer.run?.plan.id, move, from: node, to: to.node, sessions },
            'asked to move',
          );
        }
        toEdge(node, command).then(
          (outcome) => {
            if (outcome === 'unrouted') onUnrouted();
          },
          (error: unknown) => log.warn({ err: error, node, command: command.command }, 'command not sent'),
        );
      },
      save: (state) => store.save(state),
      log: (event, fields) => log.info(fields, event),
      onPlan: (plan, past) => {
        chronicle.planned(plan, past);
        if (past !== undefined) metrics.ended(past);
      },
      newPlanId: () => randomUUID().slice(0, 13),
    },
    {
      mode: config.mode,
      maintenanceWindows: config.maintenanceWindows,
      strategy: config.strategy,
      load: config.load,
      moveDeadlineMs: config.moveDeadlineMs,
      isMaintenance: () => inMaintenance(balancer.standing.settings.values.maintenanceWindows, wallNow()),
      policy: {
        relativeThreshold: config.relativeThreshold,
        absoluteThreshold: config.absoluteThreshold,
        quietMs: config.quietMs,
        deployHoldMs: config.deployHoldMs,
      },
      pace: {
        startPerSecond: config.startPerSecond,
        maxPerSecond: config.maxPerSecond,
        handshakeP99Ms: config.handshakeP99Ms,
        loopLagP99Ms: config.loopLagP99Ms,
      },
    },
  );
  const cordonMarks = new CordonMarks({
    topology: mesh.consuming.topology({ channels: 1, timeoutMs: 2_000 }),
    arguments: mesh.durableArguments,
    wanted: balancer.standing.cordons.wishes,
    known: (nowMs) => balancer.view.nodes(nowMs).map(({ node }) => node),
    // Who does not understand what the leader before has left knows of no cordon.
    mayWrite: () => balancer.isLeading && balancer.held === undefined && lock.isSure,
    log,
  });
  const isWarm = () => balancer.isWarm(steadyNow());
  const metrics = balancerMetrics(ops.metrics, balancer, steadyNow);
  const watch = new ClockWatch(balancer.view.clocks, (fields, message) => log.warn(fields, message));

  const urls = new NodeUrls(config.nodeUrlPattern, (node, url) =>
    log.warn({ from: node, url }, 'node ignored: its URL is not one of EVENKEEL_NODE_URL_PATTERN'),
  );
  const guardian = new Guardian({
    view: balancer.view,
    send: (node, command) => mesh.control.send(node, command, COMMAND_WAIT_MS),
    isLeading: () => balancer.isLeading && lock.isSure,
    log,
    steadyNow,
  });
  const onReportsMissed = () => {
    balancer.askAgain(steadyNow());
    guardian.register.doubt();
  };
  const reports = mesh.stats.reports(
    {
      onStats: (stats) => {
        if (!urls.takes(stats)) return;
        balancer.observe(stats, steadyNow());
        watch.look(stats.node, wallNow() - steadyNow());
      },
      onMoves: (report) => balancer.report(report, steadyNow()),
      onSessions: (report) => guardian.onReport(report),
    },
    { name: `balancer.${config.id}`, log, onRemade: onReportsMissed },
  );
  guardianMetrics(ops.metrics, guardian);
  const queries = new EdgeQueries(mesh, config.id);
  const looking = mesh.consuming.topology({ channels: 2 });
  /** It is only shown: what the broker does not say is left out. */
  const queued = async (uid: string, sid: string) => {
    const counts = await looking.checkQueue(sessionQueue(uid, sid)).catch(() => undefined);
    return counts?.messages;
  };
  const denials = new Denials({
    connection: mesh.consuming,
    now: wallNow,
    log,
    onRecord: (record) => owed.told(record),
    onMissing: (lost) => {
      log.warn({ denials: lost.length }, 'the stream has lost denials: the leader writes them again');
      owed.add(lost);
    },
  });
  const owed: Owed = new Owed({
    denials,
    restore: (denied) => denying.restore(denied),
    mayWrite: () => lock.isSure,
    log,
  });
  const denying = new Denying({
    denials,
    owed,
    // Nothing else goes by its channel: RabbitMQ before 4.0 may confirm what it does not write to the stream (docs/cluster.md).
    publisher: mesh.publisherBeside(),
    userId: mesh.user,
    now: wallNow,
    waitMs: COMMAND_WAIT_MS,
  });
  let leadingSince = 0;
  const lock: LeaderLock = new LeaderLock({
    url: config.amqpUrl,
    tls,
    id: config.id,
    log,
    topology: manageTopology,
    onLeading: () => term.won(),
    onFollowing: () => term.lost(),
  });
  const told = new Told();
  const answering = new Broker({
    url: config.amqpUrl,
    ...(tls !== undefined && { tls }),
    name: `balancer ${config.id} direct answers`,
    log,
    retryMaxMs: 500,
  });
  const directAnswers = answering.publisher({ timeoutMs: DIRECT_ANSWER_MS });
  const ofServices = {
    connection: mesh.consuming,
    publisher: mesh.publisher,
    directAnswers,
    // Who has not heard of every edge yet would not wait for the answers of all.
    ask: async (question: Question) => {
      await warmedUp(isWarm, warmUpWaitMs);
      return await queries.ask(question, heardOf(balancer.view.nodes(steadyNow())));
    },
    unanswered: (uid: string, answered: Found['replies']) => guardian.unanswered(uid, answered),
    log,
    random: Math.random,
  };
  const placements = new TopicPlacements({
    ...ofServices,
    consumers: mesh.consuming.consumers({ channels: 1 }),
    user: mesh.user,
  });
  const asking = new Asking({
    ...ofServices,
    mesh,
    consumers: mesh.consuming.consumers({ channels: 1 }),
    id: config.id,
    wallNow,
  });
  askingMetrics(ops.metrics, asking);
  const amqp = () =>
    [
      ...mesh.figures(),
      ['leader-lock', lock.broker.figures()],
      ['direct-answers', answering.figures()],
    ] as const;
  const manage = new ManageServer({
    broker: lock.broker,
    durableArguments: mesh.durableArguments,
    publisher: mesh.publisher,
    directAnswers,
    log,
    metrics,
    mayAct: () => lock.confirm(),
    // Where all of the mesh logs in as one user, that one commands it too.
    operators: new Set([...config.operators, userOf(config.amqpUrl) ?? '']),
    execute: async (command, user, leftMs) => {
      const waitMs = warmUpWaitOf(command, leftMs());
      if (waitMs > 0 && !isWarm()) {
        await warmedUp(isWarm, waitMs);
        if (leftMs() <= 0)
          throw new ManageError('not-ready', 'ready only after its sender has stopped waiting');
        if (!(await lock.confirm())) throw notLeader();
      }
      return await execute(command, {
        balancer,
        leader: { id: config.id, since: leadingSince },
        amqp,
        nowMs: steadyNow(),
        user,
        told,
        cordonMarks,
        denying,
        sendToEdge: async (node, edgeCommand) => {
          if (!(await lock.confirm())) throw notLeader();
          return await toEdge(node, edgeCommand);
        },
        events: chronicle.events,
        ask: (question, node) => queries.ask(question, balancer.view.nodes(steadyNow()), node),
        queued,
      });
    },
    onAudited: (command, by, answer) => chronicle.commanded(command, by, answer),
  });
  const succession = new Succession({
    load: () => store.load(),
    isLeading: () => lock.isLeading,
    heard: () => warmedUp(() => isWarm() || !lock.isLeading, warmUpWaitMs),
    lead: (saved) => balancer.lead(saved, steadyNow()),
    hold: (why) => balancer.hold(why),
    log,
  });
  const term = new Term({
    isLeading: () => lock.isLeading,
    begin: async () => {
      leadingSince = steadyNow();
      chronicle.leads(config.id, leadingSince);
      cordonMarks.doubt();
      await succession.begin();
      if (lock.isLeading) await manage.serve();
    },
    follow: () => {
      succession.end();
      balancer.follow();
    },
    end: () => manage.rest(),
    log,
  });
  let ticking: NodeJS.Timeout | undefined;
  const sayPolicy = () => {
    if (!lock.isSure) return;
    mesh.stats.sendPolicy({ v: 1, strategy: config.strategy, at: wallNow() }).catch(() => {
      // It is said again in a moment.
    });
  };
  let saying: NodeJS.Timeout | undefined;

  amqpMetrics(ops.metrics, amqp);
  ops.readiness('broker', () => mesh.readiness());
  ops.readiness('leader lock', () => lock.readiness());
  ops.readiness('management', () => manage.readiness());
  ops.readiness('denials', () => denials.readiness());
  ops.note('denials', () => denials.lag());
  ops.readiness('saved state', () => balancer.held ?? term.readiness());
  ops.note('alarm', () => mesh.alarm(IN_ALARM));
  ops.note('view', () => silence(balancer.view.silentMs(steadyNow())));
  ops.status(() => ({
    id: config.id,
    isLeading: balancer.isLeading,
    why: balancer.why,
    nodes: balancer.view.size,
  }));

  lifecycle
    .add('broker', { start: () => mesh.start(signal), stop: () => mesh.stop() })
    .add('lock connection', { start: () => lock.broker.open(signal), stop: () => lock.broker.close() })
    .add('direct answers', {
      start: () => answering.open(signal),
      stop: () => directAnswers.flush().then(() => answering.close()),
    })
    .add('plan store', { start: () => store.queue.start(signal), stop: () => store.queue.stop() })
    .add('statistics', { start: () => reports.start(signal), stop: () => reports.stop() })
    .add('sessions', { start: () => guardian.start(), stop: () => guardian.stop() })
    .add('replies', { start: () => queries.queue.start(signal), stop: () => queries.queue.stop() })
    .add('asking', { start: () => asking.start(signal), stop: () => asking.stop() })
    .add('topic placements', { start: () => placements.start(), stop: () => placements.stop() })
    // Not waited for: what cannot be read yet can be written.
    .add('denials', {
      start: () => {
        denials.start(signal).catch(() => {});
        owed.start();
      },
      stop: () => owed.stop().then(() => denials.stop()),
    })
    .add('management', { start: () => manage.start(signal), stop: () => manage.stop() })
    .add('ticks', {
      start: () => {
        saying = setInterval(sayPolicy, POLICY_MS);
        ticking = setInterval(() => {
          try {
            if (!lock.isSure) return;
            const nowMs = steadyNow();
            balancer.tick(nowMs);
            void cordonMarks.tick(nowMs);
            chronicle.look(() => balancer.view.nodes(nowMs), nowMs);
          } catch (error) {
            log.error({ err: error }, 'tick failed');
          }
        }, TICK_MS);
      },
      stop: () => {
        clearInterval(saying);
        clearInterval(ticking);
      },
    })
    // Last: who leads needs all of them. A successor leads when the last command has been answered.
    .add('leader lock', {
      start: () => lock.start(),
      stop: async () => {
        lock.resign();
        await term.settled();
      },
    });
}
