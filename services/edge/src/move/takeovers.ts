import type { Publisher } from '@evenkeel/broker';
import { allEdgesKey, type CommandOf, edgeKey, sessionQueue } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { EdgeConfig } from '../config.js';
import type { Directory } from '../session/directory.js';
import type { Session } from '../session/session.js';
import { Coalescer } from './coalescer.js';

/** What came of asking another edge for a session. */
export interface TakeoverAnswer {
  /**
   * `released`: it had it and has let it go. `unknown`: it does not have it. `refused`: it has a newer connection.
   * `unreachable`: it has no connection to the broker, so it holds nothing. `silent`: it lives and does not answer.
   */
  outcome: 'released' | 'unknown' | 'refused' | 'unreachable' | 'silent';
  suspect: number | undefined;
  isFull: boolean;
}

interface Asking {
  session: Session;
  settle(answer: TakeoverAnswer): void;
}

/** Answers kept, so that a repeated question gets the same one; the oldest is forgotten beyond it. */
const maxAnswers = 10_000;

const nothing = (outcome: TakeoverAnswer['outcome']): TakeoverAnswer => ({
  outcome,
  suspect: undefined,
  isFull: false,
});

/** The hand-over of sessions between edges: asking for them, and letting them go. */
export class Takeovers {
  readonly #config: EdgeConfig;
  readonly #boot: string;
  readonly #outgoing: Coalescer;
  readonly #directory: Directory;
  readonly #log: Log;
  readonly #asking = new Map<string, Asking>();
  /** Which takeover each session here is being released to; the newest wins. */
  readonly #wanted = new Map<Session, CommandOf<'takeover'>>();
  readonly #answers = new Map<string, CommandOf<'released'>>();
  #questions = 0;

  constructor(config: EdgeConfig, boot: string, publisher: Publisher, directory: Directory, log: Log) {
    this.#config = config;
    this.#boot = boot;
    this.#outgoing = new Coalescer(publisher);
    this.#directory = directory;
    this.#log = log;
  }

  // --- the edge that asks ---

  /**
   * Asks `node` for the session, again every `takeoverRetryMs`, until it answers, proves to be dead, or
   * `takeoverTimeoutMs` has passed. A repeated question has the same identity, so it is carried out once.
   */
  async ask(session: Session, node: string, isLive: () => boolean): Promise<TakeoverAnswer> {
    const command = this.#command(session);
    const endsAtMs = Date.now() + this.#config.takeoverTimeoutMs;
    return await new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = (answer: TakeoverAnswer) => {
        clearTimeout(timer);
        this.#asking.delete(command.takeover);
        resolve(answer);
      };
      this.#asking.set(command.takeover, { session, settle });
      const send = () => {
        if (!isLive() || Date.now() >= endsAtMs) return settle(nothing('silent'));
        timer = setTimeout(send, this.#config.takeoverRetryMs);
        // The commands queue is exclusive to the connection that also consumes the sessions: no queue, no consumers.
        this.#outgoing.publish(edgeKey(node), command).then(
          (outcome) => {
            if (outcome === 'unrouted' && this.#asking.has(command.takeover)) settle(nothing('unreachable'));
          },
          () => {
            // Not published: the broker is away from us. The next attempt is already set.
          },
        );
      };
      send();
    });
  }

  /**
   * Asks every edge, again and again: an answer is lost while the commands queue of this edge is not back after a loss
   * of the broker. For when nobody knows who holds it. `unknown` when none has answered after `timeoutMs`.
   */
  async search(session: Session, timeoutMs: number): Promise<TakeoverAnswer> {
    const command = this.#command(session);
    return await new Promise((resolve) => {
      const settle = (answer: TakeoverAnswer) => {
        if (answer.outcome === 'unknown') return;
        finish(answer);
      };
      const finish = (answer: TakeoverAnswer) => {
        clearTimeout(timer);
        clearInterval(repeating);
        this.#asking.delete(command.takeover);
        resolve(answer);
      };
      const send = () => void this.#outgoing.publish(allEdgesKey, command).catch(() => {});
      const timer = setTimeout(() => finish(nothing('unknown')), timeoutMs);
      const repeating = setInterval(send, Math.min(this.#config.takeoverRetryMs, timeoutMs / 5));
      this.#asking.set(command.takeover, { session, settle });
      send();
    });
  }

  /** The session's socket has gone or a newer one has come: its questions are dropped. */
  abandon(session: Session): void {
    for (const asking of this.#asking.values())
      if (asking.session === session) asking.settle(nothing('silent'));
  }

  /** A late or foreign `released` finds no question here and changes nothing. */
  onReleased(command: CommandOf<'released'>): void {
    this.#asking.get(command.takeover)?.settle({
      outcome: command.outcome,
      suspect: command.suspect,
      isFull: command.isFull ?? false,
    });
  }

  // --- the edge that is asked ---

  onTakeover(command: CommandOf<'takeover'>): void {
    if (command.boot === this.#boot) return;
    const answered = this.#answers.get(command.takeover);
    if (answered) return this.#send(command.from, answered);
    const session = this.#directory.get(`${command.uid}.${command.sid}`);
    if (!session) return this.#reply(command, { outcome: 'unknown' });
    const rival = this.#wanted.get(session);
    if (session.claims.epoch > command.epoch || (rival && rival.epoch > command.epoch)) {
      return this.#reply(command, { outcome: 'refused' });
    }
    if (rival?.takeover === command.takeover) return;
    this.#wanted.set(session, command);
    if (rival) this.#reply(rival, { outcome: 'refused' });
    session.release(command.mode).then(
      ({ suspect, isFull }) => {
        if (this.#wanted.get(session) !== command) return;
        this.#wanted.delete(session);
        this.#reply(command, { outcome: 'released', suspect, ...(isFull ? { isFull } : {}) });
      },
      (error: unknown) => {
        this.#wanted.delete(session);
        this.#log.error(
          { err: error, queue: sessionQueue(command.uid, command.sid) },
          'session not released',
        );
      },
    );
  }

  #reply(
    to: CommandOf<'takeover'>,
    answer: Pick<CommandOf<'released'>, 'outcome' | 'suspect' | 'isFull'>,
  ): void {
    const command: CommandOf<'released'> = {
      command: 'released',
      takeover: to.takeover,
      uid: to.uid,
      sid: to.sid,
      from: this.#config.node,
      ...answer,
    };
    if (answer.outcome !== 'unknown') {
      this.#answers.set(to.takeover, command);
      if (this.#answers.size > maxAnswers) {
        const oldest = this.#answers.keys().next();
        if (!oldest.done) this.#answers.delete(oldest.value);
      }
    }
    this.#send(to.from, command);
  }

  #send(node: string, command: CommandOf<'released'>): void {
    // If it gets lost the other edge asks again.
    this.#outgoing.publish(edgeKey(node), command).catch(() => {});
  }

  #command(session: Session): CommandOf<'takeover'> {
    const { uid, sid, epoch, move } = session.claims;
    this.#questions += 1;
    return {
      command: 'takeover',
      takeover: `${this.#boot}-${this.#questions}`,
      uid,
      sid,
      from: this.#config.node,
      boot: this.#boot,
      epoch,
      mode: move === undefined ? 'resume' : 'move',
      ...(move === undefined ? {} : { move }),
    };
  }
}
