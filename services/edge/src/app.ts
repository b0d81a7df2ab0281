import { randomBytes } from 'node:crypto';
import { namespacesOf } from '@evenkeel/access';
import { Denials, edgesBeside, Mesh } from '@evenkeel/mesh';
import { steadyNow, wallNow } from '@evenkeel/pace';
import { gapReasons } from '@evenkeel/protocol';
import { amqpTlsOf, certificatesOf, readText, type ServiceContext } from '@evenkeel/runtime';
import { type TicketClaims, TicketSigner } from '@evenkeel/ticket';
import { EdgeAccess } from './access/access.js';
import { Authorizations } from './access/authorizations.js';
import { Hook } from './access/hook.js';
import { Questions } from './access/questions.js';
import { reviewAll } from './access/review.js';
import { Asking } from './asking/asking.js';
import { type EventBindings, eventBindingsOf } from './bindings/build.js';
import type { EdgeConfig } from './config.js';
import { aboutEdge } from './control/about.js';
import { Askable } from './control/askable.js';
import { Claims } from './control/claims.js';
import { Commands, commandersOf } from './control/commands.js';
import { CordonMark } from './control/cordon-mark.js';
import { Denying } from './control/denying.js';
import { commandHandlers } from './control/handlers.js';
import { NodeName } from './control/node-name.js';
import { OperatorSettings } from './control/operator-settings.js';
import { Whereabouts } from './control/whereabouts.js';
import { Cancels } from './inbound/cancels.js';
import { Inbound } from './inbound/inbound.js';
import { publishersOfClients } from './inbound/publisher-of-clients.js';
import { Adoptions } from './life/adoptions.js';
import { Endings } from './life/ending.js';
import { Happenings } from './life/happenings.js';
import { Journal } from './life/journal.js';
import { Life } from './life/life.js';
import { SessionPast } from './life/past.js';
import { SessionReports } from './life/reports.js';
import { Coalescer } from './move/coalescer.js';
import { Departures } from './move/departures.js';
import { Handover } from './move/handover.js';
import { MoveLedger } from './move/ledger.js';
import { RecentlyLetGo } from './move/let-go.js';
import { keepOrphan } from './move/orphans.js';
import { Takeovers } from './move/takeovers.js';
import { EdgeNode } from './node.js';
import { Placing } from './placing/placing.js';
import { MemoryWatch } from './pressure/watch.js';
import { queuePartsOf } from './queue/build.js';
import { AgentServer } from './reach/agent.js';
import { dial } from './reach/dial.js';
import { Reachability } from './reach/reachability.js';
import { connectionIds } from './session/connection-ids.js';
import { Directory } from './session/directory.js';
import { Entrance } from './session/entrance.js';
import { GivenUp } from './session/given-up.js';
import { LeftBehind } from './session/left-behind.js';
import { Load } from './session/load.js';
import type { Session } from './session/session.js';
import { Sessions } from './session/sessions.js';
import { RefusedFrames } from './stats/refused-frames.js';
import { Reporter } from './stats/reporter.js';
import { addSteps } from './steps.js';
import { edgeHistory } from './topic/history/edge-history.js';
import { TopicHub } from './topic/hub.js';
import { NamePace } from './topic/name-pace.js';
import { presenceOf } from './topic/presence/build.js';
import { followingOf } from './trace/following.js';
import { admissionOf } from './transport/build.js';
import { RefusalLog } from './transport/refusal-log.js';
import { UwsTransport } from './transport/uws/server.js';
import { DroppedEvents } from './undelivered/dropped.js';
import type { Owner } from './undelivered/message.js';
import { Undelivered } from './undelivered/undelivered.js';
import { Unsent } from './undelivered/unsent.js';
import { usedExchanges } from './used-exchanges.js';
import { watched } from './watched.js';

/** Builds an edge, of parts that touch nothing until they are started: steps.ts says in which order. */
export function build(config: EdgeConfig, context: ServiceContext): void {
  const { lifecycle, log, signal, ops, onReload } = context;
  // One clock for all that lasts, and for tickets; what people read goes by the host's.
  const now = steadyNow;
  const node = new EdgeNode(config.node, randomBytes(8).toString('base64url'));
  const load = new Load();
  const ledger = new MoveLedger();
  const directory = new Directory<Session>();
  const tickets = new TicketSigner(config.secret);
  const mesh = new Mesh({
    url: config.amqpUrl,
    tls: amqpTlsOf(config),
    name: `edge ${node.name}`,
    log,
    uses: usedExchanges,
  });
  const { control, consuming, publisher } = mesh;
  const name = new NodeName({ ...context, config, consuming, now });
  const { following, spans } = followingOf(config, log);
  const { room, users, origins, gate, pending } = admissionOf({
    config,
    tickets,
    node,
    now,
    cameBack: (returned) => departures.cameBack(returned),
    isHere: ({ uid, sid }) => isHere(`${uid}.${sid}`),
    denies: (shown) => denying.denies(shown),
  });
  const claims = new Claims({ node, control, gate, now, log });
  const transport = new UwsTransport(
    {
      ...config,
      origins,
      now,
      isReady: () => ops.isReady(),
      refusals: new RefusalLog(log, now),
      onExchanged: () => log.info({}, 'old certificate no longer shown to newcomers'),
    },
    gate,
    claims,
    pending,
  );
  const { counts } = transport;
  const certificates = certificatesOf(config, { log, ops, onReload });
  const reachability = new Reachability({ node, tickets, dial, now, random: Math.random, log });
  const queueTopology = consuming.topology();
  const namePace = new NamePace({ ...config, isBusy: () => queueTopology.queued > 0, now });
  const isEdge = edgesBeside(mesh.user);
  const clocked = { now: wallNow, log };
  const histories = edgeHistory({
    config,
    mesh,
    namespaces: namespacesOf(config.namespaces, readText).histories,
    isEdge,
    deliver: (topic, frame, from) => topics.deliver(topic, frame, from),
    hasLostBinding: () => bindings.hasLost(),
    onPatternsBroken: (isMissing) => topics.tellPatterns(isMissing, gapReasons.brokerLost),
    ...clocked,
  });
  const topics: TopicHub = new TopicHub({
    mesh,
    node: node.name,
    boot: node.boot,
    streamed: histories.topics,
    maxEventBytes: config.maxEventBytes,
    isEdge,
    publish: (topic, frame) => transport.publish(topic, frame),
    onGap: (reason, subscribers) => load.toldGap(reason, subscribers),
    onMark: (mark, sessions) => {
      for (const session of sessions) directory.get(session)?.passMark(mark);
    },
    pace: namePace,
    following,
    ...clocked,
    areBound: (timeoutMs) => bindings.areThere(timeoutMs),
  });
  const { presence, presenceQuestions } = presenceOf({
    mesh,
    node,
    config,
    kept: (topic) => access.namespaces.presenceOf(topic),
    publish: (name, frame) => transport.publish(name, frame),
    now,
    log,
  });
  const outgoing = new Coalescer(control);
  const attaching = (claims: TicketClaims) => {
    const session = directory.get(`${claims.uid}.${claims.sid}`);
    return session?.claims === claims ? session : undefined;
  };
  const handover = new Handover({
    node,
    outgoing,
    config,
    names: name.others,
    passOf: (claims) => attaching(claims)?.access.hold,
    onSince: (claims, since) => presence.online.told(claims, since),
    onPass: (claims, pass, newPass) => attaching(claims)?.access.wasHeld(pass, newPass),
    onOrphan: (claims, left, isAway) => keepOrphan(claims, left, isAway, { directory, life, leftBehind }),
  });
  const { drops, leftSeals, generations, queues, rehoming } = queuePartsOf({
    config,
    mesh,
    node,
    topology: queueTopology,
    directory,
    log,
    outgoing,
    bindings: () => bindings,
    whenAskable: () => askable.when(),
    onDropped: (...drop) => sessions.dropped(...drop),
    written: () => load.delivered,
    topicFrames: () => counts.topicFrames,
    now,
  });
  const ofClients = publishersOfClients(mesh, histories.history.streams);
  const inbound = new Inbound({
    ...config,
    publisher: ofClients.prompt,
    user: mesh.user,
    following,
    now: wallNow,
  });
  const cancels = new Cancels({ publisher: mesh.publisherApart('clients'), now: wallNow });
  const undelivered = new Undelivered({ publisher: ofClients.patient, log, following });
  const dropped = new DroppedEvents({
    connection: consuming,
    consumers: consuming.consumers({ channels: 1 }),
    undelivered,
    log,
    random: Math.random,
  });
  const journal = new Journal(log);
  const happenings = new Happenings({ publisher, now: wallNow, log });
  const past = new SessionPast(wallNow);
  const isHere = (key: string) => directory.get(key) !== undefined;
  const topology = consuming.topology();
  const cordonMark = new CordonMark({ node, topology, log });
  const markLoss = ({ uid, sid }: Owner, generation: number) => queues.of(uid, sid).markLoss(generation);
  const emptying = { consumers: consuming.consumers({ channels: 4 }), undelivered };
  const life = new Life({
    node: node.name,
    lifetimeMs: config.sessionLifetimeMs,
    maxSessionsPerUser: config.maxSessionsPerUser,
    endings: new Endings({ topology, generations, markLoss, ...emptying }),
    tell: (told) => {
      happenings.tell(told);
      if (told.what === 'ended') journal.note(told.what, told, { reason: told.reason });
    },
    past,
    isHere,
    steadyNow: now,
    log,
  });
  const denials = new Denials({
    connection: consuming,
    now: wallNow,
    log,
    onChange: () => denying.enforce(),
  });
  const denying = new Denying({ denials, directory, life });
  const bound = { mesh, node, topics, histories, life, queues, directory, now, log };
  const bindings: EventBindings = eventBindingsOf(bound);
  const adoptions = new Adoptions({ generations, life, isHere, denies: (who) => denials.denies(who), log });
  const reports = new SessionReports({
    node,
    life,
    send: (report) => mesh.stats.sendSessions(report),
    steadyNow: now,
  });
  const questions = new Questions({ mesh, publisher: ofClients.prompt, node: node.name });
  const hook = new Hook({ address: () => access.namespaces.hook, wallNow });
  const authorizations = new Authorizations({ questions, hook, now });
  const access: EdgeAccess = new EdgeAccess({
    namespaces: namespacesOf(config.namespaces, readText),
    secrets: config.secret,
    needsPass: config.auth !== undefined && config.auth !== 'dev',
    questions,
    authorizations,
  });
  onReload(() => {
    access.replace(namespacesOf(config.namespaces, readText));
    void reviewAll(directory);
  });
  const letGo = new RecentlyLetGo(now);
  const commanders = commandersOf(config.balancerUser, mesh.user);
  const entrance = new Entrance(now);
  const leftBehind = new LeftBehind(config.sessionLifetimeMs, drops, now);
  const ports = {
    access,
    queues,
    drops,
    handover,
    entrance,
    topics,
    history: histories.topics,
    presence,
    inbound,
    cancels,
    letGo,
    leftBehind,
    life,
    journal,
    givenUp: new GivenUp(now),
    unsent: new Unsent(undelivered),
    following,
    placing: new Placing(config.secret, commanders),
    asking: new Asking({ publisher: ofClients.prompt, user: mesh.user, commanders, wallNow }),
  };
  const sessions: Sessions = new Sessions({
    config,
    newConnectionId: connectionIds(node.boot),
    ports,
    directory,
    load,
    users,
    log,
    now,
    canBeAsked: () => consuming.state !== 'open' || commands.readiness() === true,
  });
  const leaving = { directory, journal, log };
  const departures = new Departures({ config, tickets, ledger, letGo, now, past, ...leaving });
  const onlineSince = (who: Pick<Session['claims'], 'uid' | 'sid'>) => presence.online.sinceOf(who);
  const takeovers = new Takeovers({ node, outgoing, life, leftBehind, leftSeals, onlineSince, ...leaving });
  const about = () => aboutEdge({ config, room, ledger, counts, load, pending, users, mesh });
  const whereabouts = new Whereabouts({ node, directory, control, life, past, about });
  const set = new OperatorSettings({ config, room, node });
  const commanded = { departures, handover, takeovers, claims, whereabouts, life, adoptions, reports, set };
  const handlers = commandHandlers({ node, leftBehind, leftSeals, rehoming, ...commanded });
  const commands = new Commands({ node: node.name, control, handlers, commanders, log });
  const askable = new Askable({ commands, name });
  const memory = new MemoryWatch({ config, node, directory, now, log });
  const agent = new AgentServer(() => ({ node, connections: counts.open, capacity: room.capacity }));
  const reporter = new Reporter({
    config,
    set,
    room,
    node,
    channel: mesh.stats,
    counts,
    load,
    entrance,
    directory,
    ledger,
    rehoming,
    amqp: () => mesh.figures(),
    now,
    wallNow,
  });
  const refusedFrames = new RefusedFrames({ load, access, log });
  watched(ops, {
    mesh,
    name,
    node,
    memory,
    room,
    directory,
    ledger,
    drops,
    rehoming,
    commands,
    reporter,
    counts,
    pending,
    users,
    namePace,
    load,
    topics,
    history: histories,
    presence,
    presenceQuestions,
    undelivered,
    dropped,
    life,
    happenings,
    adoptions,
    bindings,
    denials,
    denying,
    access,
    authorizations,
  });
  addSteps(lifecycle, {
    config,
    signal,
    log,
    room,
    node,
    spans,
    mesh,
    name,
    topics,
    namePace,
    histories,
    presence,
    presenceQuestions,
    drops,
    rehoming,
    leftSeals,
    bindings,
    denials,
    denying,
    commands,
    questions,
    life,
    reports,
    happenings,
    transport,
    sessions,
    certificates,
    dropped,
    cordonMark,
    agent,
    reachability,
    memory,
    reporter,
    refusedFrames,
    departures,
    directory,
    ledger,
    now,
  });
}
