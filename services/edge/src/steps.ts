import { type certificatesOf, type Log, openFileLimit, type ServiceContext } from '@evenkeel/runtime';
import { type EdgeConfig, publicUrlOf, reachabilityUrlOf } from './config.js';
import type { CordonMark } from './control/cordon-mark.js';
import type { Denying } from './control/denying.js';
import { type DrainOptions, drain } from './move/drain.js';
import type { EdgeNode } from './node.js';
import type { LeftSeals } from './queue/left-seals.js';
import type { AgentServer } from './reach/agent.js';
import type { Reachability } from './reach/reachability.js';
import type { Sessions } from './session/sessions.js';
import type { Room } from './transport/room.js';
import type { UwsTransport } from './transport/uws/server.js';

/** What touches something once it is started; until `signal` it waits for the broker as long as it takes. */
interface Part {
  start(signal?: AbortSignal): Promise<void> | void;
  stop(): Promise<void> | void;
}

/** The parts of an edge that are started and stopped, and what they need for it. */
interface Parts extends Omit<DrainOptions, 'config' | 'log'>, Pick<ServiceContext, 'signal'> {
  readonly config: EdgeConfig;
  readonly log: Log;
  readonly room: Room;
  readonly node: EdgeNode;
  readonly spans: Part | undefined;
  readonly mesh: Part;
  readonly name: Part;
  readonly topics: Part;
  readonly namePace: Pick<Part, 'stop'>;
  readonly histories: Part;
  readonly presence: Part;
  readonly presenceQuestions: Part;
  readonly drops: Part;
  readonly rehoming: Pick<Part, 'stop'>;
  readonly leftSeals: Pick<LeftSeals, 'stop'>;
  readonly bindings: Part;
  readonly denials: Part;
  readonly denying: Pick<Denying, 'stop'>;
  readonly commands: Part;
  readonly questions: Part;
  readonly life: Part;
  readonly reports: Part;
  readonly happenings: Pick<Part, 'stop'>;
  readonly transport: Pick<UwsTransport, 'listen' | 'exchange' | 'close'>;
  readonly sessions: Pick<Sessions, 'accept' | 'closeAll' | 'start' | 'stop'>;
  readonly certificates: ReturnType<typeof certificatesOf>;
  readonly dropped: Part;
  readonly cordonMark: Pick<CordonMark, 'start' | 'stop'>;
  readonly agent: Pick<AgentServer, 'start' | 'stop'>;
  readonly reachability: Pick<Reachability, 'start'>;
  readonly memory: Part;
  readonly reporter: Part;
  readonly refusedFrames: Part;
  readonly departures: { forgetPins(): void; stop(): void };
}

/** In which order the parts of an edge start; they stop in reverse. */
export function addSteps(lifecycle: ServiceContext['lifecycle'], parts: Parts): void {
  const { config, signal, log, room, node, mesh, topics, namePace, histories, presence } = parts;
  const { presenceQuestions, drops, denials, denying, commands, questions, life, reports, happenings } =
    parts;
  const { transport, sessions, certificates, dropped, agent, reachability, reporter } = parts;
  const { refusedFrames, departures, directory, ledger, leftSeals, now } = parts;
  let port = 0;
  lifecycle
    .add('open files', {
      start: () => {
        const openFiles = openFileLimit();
        if (!room.fit(openFiles)) return;
        const { capacity, maxPending } = room;
        log.warn(
          { openFiles, capacity, maxPending },
          'lowered to what the limit of open files leaves: raise it',
        );
      },
    })
    .add('tracing', { start: () => parts.spans?.start(), stop: () => parts.spans?.stop() })
    .add('broker', { start: () => mesh.start(signal), stop: () => mesh.stop() })
    // Nothing is done in the name of a node that is another edge.
    .add('name', { start: () => parts.name.start(signal), stop: () => parts.name.stop() })
    // Its queue must exist before a client can ask for a topic, and takes the fences of moves.
    .add('topics', {
      start: () => topics.start(signal),
      stop: () => {
        namePace.stop();
        return topics.stop();
      },
    })
    // Before a client comes it must be known what was published last.
    .add('histories', { start: () => histories.start(signal), stop: () => histories.stop() })
    // Who comes must find who is there already.
    .add('presence', { start: () => presence.start(signal), stop: () => presence.stop() })
    // Before a session is consumed here it must be heard of what is dropped.
    .add('drops', { start: () => drops.start(signal), stop: () => drops.stop() })
    // While it is still heard of what is dropped.
    .add('left seals', { stop: () => leftSeals.stop() })
    .add('bindings', { start: () => parts.bindings.start(signal), stop: () => parts.bindings.stop() })
    // Before a client comes it must be known who is kept out.
    .add('denials', {
      start: () => denials.start(signal),
      stop: async () => {
        await denials.stop();
        await denying.stop();
      },
    })
    // Another edge must be able to ask this one for a session as soon as it can hold one.
    .add('commands', { start: () => commands.start(signal), stop: () => commands.stop() })
    // What clients ask for may take an answer.
    .add('questions', { start: () => questions.start(signal), stop: () => questions.stop() })
    // What the last connections leave behind is still told and reported.
    .add('lives', {
      start: () => {
        life.start();
        reports.start();
      },
      stop: async () => {
        life.stop();
        await Promise.all([reports.stop(), happenings.stop()]);
      },
    })
    .add('transport', {
      start: async () => {
        port = transport.listen(sessions.accept, certificates?.read());
        certificates?.watch((certificate) => transport.exchange(certificate));
        node.listensAt(publicUrlOf(config, port));
        log.info({ url: node.url, boot: node.boot }, 'listening');
      },
      stop: () => {
        certificates?.stop();
        sessions.closeAll();
        transport.close();
      },
    })
    .add('questions about presence', {
      start: () => presenceQuestions.start(),
      stop: () => presenceQuestions.stop(),
    })
    .add('dropped events', { start: () => dropped.start(), stop: () => dropped.stop() })
    .add('sessions', { start: () => sessions.start(), stop: () => sessions.stop() })
    // Nobody hears of this edge before it is known whether clients may come.
    .add('cordon', { start: () => parts.cordonMark.start(), stop: () => parts.cordonMark.stop() })
    .add('agent', {
      start: async () => {
        if (config.agentPort === undefined) return;
        log.info({ port: await agent.start(config.host, config.agentPort) }, 'agent listening');
      },
      stop: () => agent.stop(),
    })
    // What is in front may need the edge to be ready first, so a look in vain does not hold the start up.
    .add('reachability', {
      start: async () => {
        const url = reachabilityUrlOf(config, port);
        if (url !== undefined) await reachability.start(url, signal);
      },
    })
    .add('memory', { start: () => parts.memory.start(), stop: () => parts.memory.stop() })
    // Last to start: from here on the gateway sends clients. Stops after the drain, which the balancer follows through it.
    .add('statistics', { start: () => reporter.start(), stop: () => reporter.stop() })
    .add('refusals', { start: () => refusedFrames.start(), stop: () => refusedFrames.stop() })
    .add('drain', {
      stopTimeoutMs: config.drainTimeoutMs + 10_000,
      stop: async () => {
        await parts.rehoming.stop();
        departures.forgetPins();
        node.drain();
        await drain({ config, directory, ledger, now, log });
        departures.stop();
      },
    });
}
