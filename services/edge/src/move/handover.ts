import { allEdgesKey, type CommandOf, edgeKey, type PassHold } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { EdgeConfig } from '../config.js';
import type { EdgeNode } from '../node.js';
import { type LetGo, letGoBy } from '../session/left-behind.js';
import type { Coalescer } from './coalescer.js';

/** What came of asking for a session. */
interface HandoverAnswer {
  /**
   * `released`, `unknown`, `refused`: as the edge says. `unreachable`: it has no connection to the broker, so it holds
   * nothing. `silent`: it lives and does not answer.
   */
  outcome: CommandOf<'released'>['outcome'] | 'unreachable' | 'silent';
  suspect: number | undefined;
  isFull: boolean;
  doubt?: readonly string[];
  history?: Readonly<Record<string, string>>;
  placed?: string[] | undefined;
  knowsSeals: boolean;
  seal: CommandOf<'released'>['seal'];
  owed: CommandOf<'released'>['owed'];
  position?: CommandOf<'released'>['position'];
  ids?: CommandOf<'released'>['ids'];
  streams?: CommandOf<'released'>['streams'];
}

interface Question {
  claims: TicketClaims;
  onAnswer(answer: HandoverAnswer): void;
}

export interface HandoverOptions {
  /** The pass that counts for who came with these claims. */
  passOf(claims: TicketClaims): PassHold | undefined;
  /** Whoever had the session had it under `pass`; `newPass`: itself, where its client may not have it. */
  onPass(claims: TicketClaims, pass: PassHold, newPass: string | undefined): void;
  /** Since when whoever comes with these claims is online. */
  onSince?(claims: TicketClaims, since: number): void;
  node: Pick<EdgeNode, 'name' | 'boot'>;
  outgoing: Pick<Coalescer, 'publish'>;
  names: {
    /** False: no edge of this name consumes, as RabbitMQ says. */
    mayBeThere(node: string): Promise<boolean>;
  };
  /** An unanswered question is sent again after `takeoverRetryMs`, and given up after `takeoverTimeoutMs`. */
  config: Pick<EdgeConfig, 'takeoverRetryMs' | 'takeoverTimeoutMs'>;
  /** Whoever came with these claims has gone, and the session that was asked for is let go to here. `isAway`: it had no connection. */
  onOrphan(claims: TicketClaims, left: LetGo, isAway: boolean): void;
}

/** Questions without anybody who waits that are remembered; the oldest is forgotten beyond it. */
const maxAbandoned = 10_000;

/** An edge that has its name and no queue is asked again after this. */
const soonMs = 300;

const nothing = (outcome: HandoverAnswer['outcome']): HandoverAnswer => ({
  outcome,
  suspect: undefined,
  isFull: false,
  knowsSeals: false,
  seal: undefined,
  owed: undefined,
});

/** The edge that asks others for a session. A question has one identity, however often it is sent: it is carried out once. */
export class Handover {
  readonly #options: HandoverOptions;
  /** By the takeover's id; as many as sessions are attaching here. */
  readonly #questions = new Map<string, Question>();
  /** Of whom an edge said that they were without a connection. */
  readonly #away = new WeakSet<TicketClaims>();
  /** By the takeover's id: whoever asked has gone before the answer. */
  readonly #abandoned = new Map<string, TicketClaims>();
  #asked = 0;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /**
   * Asks `node` for the session, again and again, until it answers, proves to be dead, or has had its time.
   */
  async ask(claims: TicketClaims, node: string, isLive: () => boolean): Promise<HandoverAnswer> {
    const { outgoing, config, names } = this.#options;
    const command = this.#command(claims);
    const endsAtMs = performance.now() + config.takeoverTimeoutMs;
    return await new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const finish = (answer: HandoverAnswer) => {
        clearTimeout(timer);
        this.#questions.delete(command.takeover);
        resolve(answer);
      };
      const send = () => {
        if (!isLive() || performance.now() >= endsAtMs) return finish(nothing('silent'));
        timer = setTimeout(send, config.takeoverRetryMs);
        outgoing.publish(edgeKey(node), command).then(
          async (outcome) => {
            // The commands queue is exclusive to the connection that also consumes the sessions, and so is the name: one that has lost the
            // first alone, and stands still, may have half a session in hand.
            if (outcome !== 'unrouted') return;
            const isThere = await names.mayBeThere(node);
            if (!this.#questions.has(command.takeover)) return;
            if (!isThere) return finish(nothing('unreachable'));
            // RabbitMQ may be about to take away the name as well.
            clearTimeout(timer);
            timer = setTimeout(send, Math.min(config.takeoverRetryMs, soonMs));
          },
          () => {
            // Not published: the broker is away from us. The next attempt is already set.
          },
        );
      };
      this.#questions.set(command.takeover, { claims, onAnswer: finish });
      send();
    });
  }

  /**
   * Asks every edge, again and again: an answer is lost while the commands queue of this edge is not back after a loss
   * of the broker. For when nobody knows who holds it. `unknown` when none has answered after `timeoutMs`.
   */
  async search(claims: TicketClaims, timeoutMs: number): Promise<HandoverAnswer> {
    const { outgoing, config } = this.#options;
    const command = this.#command(claims);
    return await new Promise((resolve) => {
      const finish = (answer: HandoverAnswer) => {
        clearTimeout(timer);
        clearInterval(repeating);
        this.#questions.delete(command.takeover);
        resolve(answer);
      };
      const onAnswer = (answer: HandoverAnswer) => {
        if (answer.outcome !== 'unknown') finish(answer);
      };
      const send = () => void outgoing.publish(allEdgesKey, command).catch(() => {});
      const timer = setTimeout(() => finish(nothing('unknown')), timeoutMs);
      const repeating = setInterval(send, Math.min(config.takeoverRetryMs, timeoutMs / 5));
      this.#questions.set(command.takeover, { claims, onAnswer });
      send();
    });
  }

  /** The connection that came with these claims has gone, or a newer one has come: its questions are dropped. */
  abandon(claims: TicketClaims): void {
    for (const [takeover, question] of this.#questions) {
      if (question.claims !== claims) continue;
      this.#abandoned.set(takeover, claims);
      question.onAnswer(nothing('silent'));
    }
    for (const oldest of this.#abandoned.keys()) {
      if (this.#abandoned.size <= maxAbandoned) return;
      this.#abandoned.delete(oldest);
    }
  }

  /** A foreign `released`, or one that has been answered, finds no question here and changes nothing. */
  onReleased({ takeover, outcome, wasAway, doubt, pass, newPass, ...said }: CommandOf<'released'>): void {
    const {
      onlineSince,
      suspect,
      ids,
      position,
      isFull = false,
      knowsSeals = false,
      seal,
      owed,
      streams,
      history,
      placed,
      generation,
      home,
    } = said;
    const question = this.#questions.get(takeover);
    if (question === undefined) return this.#late(takeover, outcome, wasAway === true, said);
    if (wasAway) this.#away.add(question.claims);
    if (onlineSince) this.#options.onSince?.(question.claims, onlineSince);
    if (pass) this.#options.onPass(question.claims, pass, newPass);
    question.onAnswer({
      outcome,
      suspect,
      position,
      isFull,
      knowsSeals,
      seal,
      owed,
      ...(doubt && { doubt }),
      ...(ids && { ids }),
      ...(streams && { streams }),
      ...(history && { history }),
      ...(placed && { placed }),
      ...(generation && { generation }),
      ...(home && { home }),
    });
  }

  #late(
    takeover: string,
    outcome: HandoverAnswer['outcome'],
    wasAway: boolean,
    { position, suspect, ids, generation, home, owed, seal }: Partial<CommandOf<'released'>>,
  ): void {
    const claims = this.#abandoned.get(takeover);
    const isReleased = outcome === 'released';
    if (claims === undefined || !(isReleased || (outcome === 'unknown' && wasAway))) return;
    this.#abandoned.delete(takeover);
    const said = { suspect, ids, generation, home, owed, seal };
    this.#options.onOrphan(claims, letGoBy(said, position, isReleased), wasAway);
  }

  wasAway(claims: TicketClaims): boolean {
    return this.#away.has(claims);
  }

  #command(claims: TicketClaims): CommandOf<'takeover'> {
    const { node, passOf } = this.#options;
    const { uid, sid, epoch, move } = claims;
    const pass = passOf(claims);
    this.#asked += 1;
    return {
      command: 'takeover',
      takeover: `${node.boot}-${this.#asked}`,
      uid,
      sid,
      from: node.name,
      boot: node.boot,
      epoch,
      mode: move === undefined ? 'resume' : 'move',
      ...(move === undefined ? {} : { move }),
      takesReplies: true,
      takesMarks: true,
      takesLeftSeals: true,
      ...(pass && { pass }),
    };
  }
}
