import { TokenBucket } from '@evenkeel/pace';
import { type CommandOf, closeCodes, type MoveProgress } from '@evenkeel/protocol';
import type { TicketOffice } from '@evenkeel/ticket';
import type { EdgeConfig } from '../config.js';
import { moveFrame } from '../frame/frames.js';
import type { Directory } from '../session/directory.js';
import type { Session } from '../session/session.js';
import { pick } from './pick.js';

/** How often due `move` frames are sent, ms. */
const tickMs = 10;
/** Commands remembered after their end, so that a repeat is answered and not carried out again. */
const maxRemembered = 1_000;

interface Departure {
  command: CommandOf<'reconnect'>;
  /** Picked and not yet told. */
  waiting: Session[];
  /** Told and not yet ended. */
  underWay: number;
  bucket: TokenBucket;
  progress: MoveProgress;
}

/** Carries out `reconnect` commands: picks sessions, tells their clients at the pace asked for, counts what becomes of them. */
export class Departures {
  readonly #config: EdgeConfig;
  readonly #office: TicketOffice;
  readonly #directory: Directory;
  readonly #now: () => number;
  /** Called with every progress that has changed, at most once a tick. */
  readonly #report: (moves: MoveProgress[]) => void;
  /** By move id; those that have ended are kept for a while, to answer repeats. */
  readonly #departures = new Map<string, Departure>();
  readonly #active = new Set<Departure>();
  /** Sessions picked and not yet told. */
  readonly #picked = new Set<Session>();
  readonly #changed = new Set<Departure>();
  #timer: NodeJS.Timeout | undefined;
  #done = 0;
  #failed = 0;
  /** When the last command arrived, ms. */
  commandedAtMs = 0;

  constructor(
    config: EdgeConfig,
    office: TicketOffice,
    directory: Directory,
    now: () => number,
    report: (moves: MoveProgress[]) => void,
  ) {
    this.#config = config;
    this.#office = office;
    this.#directory = directory;
    this.#now = now;
    this.#report = report;
  }

  get counts(): { pending: number; done: number; failed: number } {
    let pending = 0;
    for (const departure of this.#departures.values())
      pending += departure.underWay + departure.waiting.length;
    return { pending, done: this.#done, failed: this.#failed };
  }

  reconnect(command: CommandOf<'reconnect'>): void {
    this.commandedAtMs = this.#now();
    const known = this.#departures.get(command.move);
    if (known) return this.#report([known.progress]);
    const rate = command.ratePerSecond ?? this.#config.movesPerSecond;
    const { sessions, refused } = this.#choose(command);
    const departure: Departure = {
      command,
      waiting: sessions,
      underWay: 0,
      bucket: new TokenBucket(rate, Math.max(1, rate / 20), this.#now()),
      progress: {
        move: command.move,
        to: command.to.node,
        asked: sessions.length + refused,
        sent: 0,
        done: 0,
        failed: 0,
        timedOut: 0,
        refused,
        isFinal: false,
      },
    };
    this.#departures.set(command.move, departure);
    this.#active.add(departure);
    for (const session of sessions) this.#picked.add(session);
    this.#forgetOldest();
    this.#change(departure);
    this.#run();
  }

  /** Tells nobody else; who has been told goes on. */
  cancel(move: string): void {
    const departure = this.#departures.get(move);
    if (!departure) return;
    departure.progress.refused += departure.waiting.length;
    for (const session of departure.waiting) this.#picked.delete(session);
    departure.waiting = [];
    this.#change(departure);
    this.#run();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #choose(command: CommandOf<'reconnect'>): { sessions: Session[]; refused: number } {
    if (command.to.node === this.#config.node)
      return { sessions: [], refused: command.count ?? command.sessions?.length ?? 0 };
    if (command.sessions) {
      const found = command.sessions
        .map((reference) => this.#directory.find(reference))
        .filter((session): session is Session => session?.isMovable === true && !this.#picked.has(session));
      return { sessions: found, refused: command.sessions.length - found.length };
    }
    const movable = [...this.#directory.values()].filter(
      (session) => session.isMovable && !this.#picked.has(session),
    );
    const sessions = pick(command, movable);
    return { sessions, refused: Math.max(0, (command.count ?? sessions.length) - sessions.length) };
  }

  #run(): void {
    if (this.#timer) return;
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#tick();
  }

  #tick(): void {
    const now = this.#now();
    let isBusy = false;
    for (const departure of this.#active) {
      while (departure.waiting.length > 0 && departure.bucket.tryTake(now)) {
        const session = departure.waiting.shift();
        if (session) this.#depart(departure, session, now);
      }
      if (departure.waiting.length > 0) isBusy = true;
    }
    if (this.#changed.size > 0) {
      const moves = [...this.#changed].map((departure) => departure.progress);
      this.#changed.clear();
      this.#report(moves);
    }
    if (!isBusy) this.stop();
  }

  #depart(departure: Departure, session: Session, now: number): void {
    const { command, progress } = departure;
    this.#picked.delete(session);
    if (!session.isMovable || !session.connection.isOpen) {
      progress.refused += 1;
      return this.#change(departure);
    }
    progress.sent += 1;
    departure.underWay += 1;
    const deadlineMs = command.deadlineMs ?? this.#config.moveDeadlineMs;
    let hasEnded = false;
    const onEnd = (outcome: 'done' | 'failed' | 'timedOut') => {
      if (hasEnded) return;
      hasEnded = true;
      progress[outcome] += 1;
      if (outcome === 'done') this.#done += 1;
      else this.#failed += 1;
      departure.underWay -= 1;
      this.#change(departure);
      this.#run();
    };
    if (session.connection.isBare) {
      // A bare client knows no move: it is let go, and finds its way through the gateway.
      onEnd('done');
      return session.close(closeCodes.serviceRestart);
    }
    session.move = { move: command.move, deadlineAtMs: now + deadlineMs, onEnd };
    const { uid, sid, epoch } = session.claims;
    const ticket = this.#office.issue({
      uid,
      sid,
      node: command.to.node,
      epoch: Math.max(now, epoch + 1),
      expiresAt: now + deadlineMs,
      from: this.#config.node,
      move: command.move,
    });
    session.connection.send(
      moveFrame({
        move: command.move,
        node: command.to.node,
        url: command.to.url,
        ticket,
        reason: command.reason ?? 'rebalance',
        deadlineMs,
        // Paced already: the pace is the spread.
        jitterMs: 0,
      }),
    );
    this.#change(departure);
  }

  #change(departure: Departure): void {
    departure.progress.isFinal = departure.underWay === 0 && departure.waiting.length === 0;
    if (departure.progress.isFinal) this.#active.delete(departure);
    this.#changed.add(departure);
  }

  #forgetOldest(): void {
    for (const [move, departure] of this.#departures) {
      if (this.#departures.size <= maxRemembered) return;
      if (departure.progress.isFinal) this.#departures.delete(move);
    }
  }
}
