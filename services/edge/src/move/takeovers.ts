import { Fifo } from '@evenkeel/pace';
import { type CommandOf, edgeKey, gapReasons, logged, planOfMove } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { Journal } from '../life/journal.js';
import type { Life } from '../life/life.js';
import type { EdgeNode } from '../node.js';
import type { Directory } from '../session/directory.js';
import type { LeftBehind } from '../session/left-behind.js';
import type { Release, ReleaseMode, Successor } from '../session/release.js';
import type { SealLeft } from '../session/vouch.js';
import type { Coalescer } from './coalescer.js';

/** Answers kept, so that a repeated question gets the same one; the oldest is forgotten beyond it. */
const maxAnswers = 10_000;
/** Passes kept in them, in characters; beyond it the oldest answer goes on without its pass. */
const maxPassChars = 1_048_576;

/** A session as another edge may have it. */
export interface Releasable {
  /** `<uid>.<sid>` */
  readonly key: string;
  readonly claims: { readonly uid: string; readonly sid: string; readonly epoch: number };
  release(mode: ReleaseMode, successor?: Successor): Promise<Release>;
  /** Lets replies in no more by `mesh.replies`. */
  refuseReplies(): Promise<void>;
}

type Answer = Omit<CommandOf<'released'>, 'command' | 'takeover' | 'uid' | 'sid' | 'from' | 'knowsSeals'>;

export interface TakeoversOptions {
  node: Pick<EdgeNode, 'name' | 'boot'>;
  outgoing: Pick<Coalescer, 'publish'>;
  directory: Pick<Directory<Releasable>, 'get'>;
  life: Pick<Life, 'ending' | 'handedOver'>;
  leftBehind: Pick<LeftBehind, 'take' | 'passedOn'>;
  leftSeals: { back(who: { readonly uid: string; readonly sid: string }): Promise<unknown> | undefined };
  journal: Pick<Journal, 'note'>;
  /** Since when a session is online. */
  onlineSince?(who: { readonly uid: string; readonly sid: string }): number | undefined;
  log: Pick<Log, 'error'>;
}

/** The edge that is asked for its sessions, and lets them go. */
export class Takeovers {
  readonly #options: TakeoversOptions;
  /** Which takeover each session here is being released to; the newest wins. */
  readonly #wanted = new Map<Releasable, CommandOf<'takeover'>>();
  readonly #answers = new Map<string, CommandOf<'released'>>();
  /** Answers with a pass, oldest first. */
  readonly #withPass = new Fifo<{ readonly takeover: string; readonly chars: number }>();
  #passChars = 0;

  constructor(options: TakeoversOptions) {
    this.#options = options;
  }

  onTakeover(command: CommandOf<'takeover'>): void {
    const { node, directory, life, leftBehind, leftSeals } = this.#options;
    if (command.boot === node.boot) return;
    const key = `${command.uid}.${command.sid}`;
    const session = directory.get(key);
    const answered = this.#answers.get(command.takeover);
    // It may have come here meanwhile.
    if (answered && !(answered.outcome === 'unknown' && session)) return this.#send(command.from, answered);
    if (!session) {
      const ending = life.ending(key);
      // Half of it may have been handed on: the other edge is to find the end.
      if (ending) return void ending.then(() => this.onTakeover(command));
      // Who had taken it over may be gone: the other edge looks for it in the queue.
      const isBack = leftSeals.back(command);
      if (isBack) return void isBack.then(() => this.onTakeover(command));
      const known = leftBehind.take(key);
      const left = command.takesLeftSeals ? known : known && withoutComing(known);
      return this.#answer(
        command,
        { outcome: 'unknown', ...left, ...this.#handOver(command) },
        left === undefined,
      );
    }
    const rival = this.#wanted.get(session);
    if (session.claims.epoch > command.epoch || (rival && rival.epoch > command.epoch)) {
      return this.#answer(command, { outcome: 'refused' });
    }
    if (rival?.takeover === command.takeover) return;
    this.#wanted.set(session, command);
    if (rival) this.#answer(rival, { outcome: 'refused' });
    this.#release(session, command);
  }

  #release(session: Releasable, command: CommandOf<'takeover'>): void {
    this.#let(session, command).then(
      ({ isFull, isUnheld, doubt = [], pass, newPass, ...left }) => {
        if (this.#wanted.get(session) !== command) return;
        this.#wanted.delete(session);
        // It never came here: who has it is asked as well.
        if (isUnheld) return this.onTakeover(command);
        this.#noteGone(session, command);
        this.#options.leftBehind.passedOn(`${command.uid}.${command.sid}`);
        const onlineSince = this.#options.onlineSince?.(command);
        this.#answer(command, {
          outcome: 'released',
          ...left,
          ...(onlineSince === undefined ? {} : { onlineSince }),
          ...(isFull ? { isFull } : {}),
          ...this.#handOver(command),
          ...(doubt.length > 0 ? { doubt: [...doubt] } : {}),
          ...(pass && { pass }),
          // Only if the client came without it: it is long.
          ...(newPass && pass?.hash !== command.pass?.hash && { newPass }),
        });
      },
      (error: unknown) => {
        this.#wanted.delete(session);
        this.#options.log.error({ err: error, ...logged(session.claims) }, 'session not released');
      },
    );
  }

  #noteGone({ claims }: Releasable, { mode, move, from }: CommandOf<'takeover'>): void {
    const plan = move === undefined ? {} : { plan: planOfMove(move) };
    this.#options.journal.note(mode === 'move' ? 'moved-away' : 'taken-over', claims, { to: from, ...plan });
  }

  async #let(session: Releasable, command: CommandOf<'takeover'>): Promise<Release> {
    const { mode, takesReplies, takesMarks, takesLeftSeals, from } = command;
    const release = await session.release(mode, {
      to: takesMarks ? from : undefined,
      knowsSeals: takesReplies === true,
      waitsForSeal: takesLeftSeals === true,
      mayLeaveSeal: takesLeftSeals === true && mode === 'move',
    });
    // An older edge: services' replies are returned to them from here on, and come by the default exchange.
    if (!takesReplies) await session.refuseReplies().catch(() => {});
    return takesLeftSeals ? release : withoutComing(release);
  }

  #handOver({ uid, sid, epoch, mode }: CommandOf<'takeover'>): { wasAway?: true } {
    return this.#options.life.handedOver(`${uid}.${sid}`, epoch, mode) ? { wasAway: true } : {};
  }

  /** `isNothing`: there is nothing in it that would be another answer if it were asked for once more. */
  #answer({ takeover, uid, sid, from }: CommandOf<'takeover'>, answer: Answer, isNothing = false): void {
    const { node } = this.#options;
    const released: CommandOf<'released'> = {
      command: 'released',
      takeover,
      uid,
      sid,
      from: node.name,
      knowsSeals: true,
      ...answer,
    };
    if (!isNothing) this.#remember(released);
    this.#send(from, released);
  }

  #remember(answer: CommandOf<'released'>): void {
    this.#answers.set(answer.takeover, answer);
    this.#boundPasses(answer);
    if (this.#answers.size <= maxAnswers) return;
    const oldest = this.#answers.keys().next();
    if (!oldest.done) this.#answers.delete(oldest.value);
  }

  /** They are long, and who asked has most likely got it: without, the other edge narrows what the older pass grants. */
  #boundPasses({ takeover, newPass }: CommandOf<'released'>): void {
    if (newPass === undefined) return;
    this.#withPass.push({ takeover, chars: newPass.length });
    this.#passChars += newPass.length;
    while (this.#passChars > maxPassChars) {
      const oldest = this.#withPass.shift();
      if (oldest === undefined) return;
      this.#passChars -= oldest.chars;
      const { newPass: _, ...rest } = this.#answers.get(oldest.takeover) ?? {};
      if ('command' in rest) this.#answers.set(oldest.takeover, rest);
    }
  }

  #send(node: string, command: CommandOf<'released'>): void {
    // If it gets lost the other edge asks again.
    this.#options.outgoing.publish(edgeKey(node), command).catch(() => {});
  }
}

/** For an edge of before, which would look for a seal that is still to come. */
const withoutComing = <L extends SealLeft>(left: L): L =>
  left.seal?.at === undefined ? left : { ...left, seal: undefined, owed: left.owed ?? gapReasons.overflow };
