import { LogLimit, TokenBucket } from '@evenkeel/pace';
import {
  type CloseCode,
  type CommandOf,
  closeCodes,
  logged,
  type MoveProgress,
  planOfMove,
} from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { TicketClaims, TicketSigner } from '@evenkeel/ticket';
import type { EdgeConfig } from '../config.js';
import type { Journal } from '../life/journal.js';
import type { Directory } from '../session/directory.js';
import type { Pin } from '../session/pin.js';
import type { Connection } from '../transport/connection.js';
import { Attempt, type AttemptOutcome, type Departing } from './attempt.js';
import type { MoveLedger } from './ledger.js';
import type { RecentlyLetGo } from './let-go.js';
import { type Candidate, pick } from './pick.js';

/** How often due `move` frames are sent, ms. */
const tickMs = 10;
/** Commands remembered after their end, so that a repeat is answered and not carried out again. */
const maxRemembered = 1_000;

/** A session as it is moved. */
export interface Movable extends Candidate, Departing {
  /** `<uid>.<sid>` */
  readonly key: string;
  readonly claims: Departing['claims'];
  readonly connection: Pick<Connection, 'isOpen' | 'isBare' | 'send'>;
  readonly isMovable: boolean;
  readonly pin: Pick<Pin, 'isHeld' | 'mark' | 'forget'>;
  close(why: CloseCode): void;
}

interface Departure {
  command: CommandOf<'reconnect'>;
  /** Picked and not yet told. */
  waiting: Movable[];
  /** Told and not yet ended. */
  underWay: number;
  bucket: TokenBucket;
  progress: MoveProgress;
}

export interface DeparturesOptions {
  config: Pick<EdgeConfig, 'node' | 'movesPerSecond' | 'moveDeadlineMs'>;
  tickets: Pick<TicketSigner, 'issue'>;
  directory: Pick<Directory<Movable>, 'get' | 'find' | 'values'>;
  ledger: MoveLedger;
  letGo: Pick<RecentlyLetGo, 'letGo'>;
  journal: Pick<Journal, 'note'>;
  now(): number;
  log: Pick<Log, 'warn'>;
  past?: { moved(who: { uid: string; sid: string }, to: string, outcome: AttemptOutcome): void };
}

/** Carries out `reconnect` commands: picks sessions, tells their clients at the pace asked for, counts what becomes of them. */
export class Departures {
  readonly #options: DeparturesOptions;
  /** By move id; those that have ended are kept for a while, to answer repeats. */
  readonly #departures = new Map<string, Departure>();
  readonly #active = new Set<Departure>();
  /** Sessions picked and not yet told. */
  readonly #picked = new Set<Movable>();
  readonly #pinnedLog = new LogLimit(60_000);
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DeparturesOptions) {
    this.#options = options;
  }

  reconnect(command: CommandOf<'reconnect'>): void {
    const { config, ledger, now } = this.#options;
    ledger.commandedAtMs = now();
    const known = this.#departures.get(command.move);
    if (known) return ledger.changed(known.progress);
    const rate = command.ratePerSecond ?? config.movesPerSecond;
    const { sessions, refused } = this.#choose(command);
    const departure: Departure = {
      command,
      waiting: sessions,
      underWay: 0,
      bucket: new TokenBucket(rate, Math.max(1, rate / 20), now()),
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
    ledger.pending += sessions.length;
    if (refused > 0) ledger.ends.add('refused', refused);
    this.#forgetOldest();
    this.#changed(departure);
    this.#run();
  }

  /** Tells nobody else; who has been told goes on. */
  cancel(move: string): void {
    const departure = this.#departures.get(move);
    if (!departure) return;
    for (const session of departure.waiting) this.#refuse(departure, session);
    departure.waiting = [];
    this.#changed(departure);
  }

  /**
   * A client that was told to move is back here with the ticket for its new edge: where it is to go instead; empty when its
   * move is over; undefined when the session is not held here.
   */
  cameBack({ uid, sid, move }: Pick<TicketClaims, 'uid' | 'sid' | 'move'>): string | undefined {
    const session = this.#options.directory.get(`${uid}.${sid}`);
    if (!session?.connection.isOpen) return undefined;
    return session.move?.move === move ? (session.move?.cameBack() ?? '') : '';
  }

  /** Sessions that the front kept here are tried again. */
  forgetPins(): void {
    for (const session of this.#options.directory.values()) session.pin.forget();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #choose(command: CommandOf<'reconnect'>): { sessions: Movable[]; refused: number } {
    const { config, directory } = this.#options;
    if (command.to.node === config.node && command.pinned !== 'close')
      return { sessions: [], refused: command.count ?? command.sessions?.length ?? 0 };
    const isFree = (session: Movable) => isWanted(command, session) && !this.#picked.has(session);
    if (command.sessions) {
      const found = command.sessions
        .map((reference) => directory.find(reference))
        .filter((session) => session !== undefined)
        .filter(isFree);
      return { sessions: found, refused: command.sessions.length - found.length };
    }
    const sessions = pick(command, [...directory.values()].filter(isFree));
    return { sessions, refused: Math.max(0, (command.count ?? sessions.length) - sessions.length) };
  }

  #run(): void {
    if (this.#timer) return;
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#tick();
  }

  #tick(): void {
    const now = this.#options.now();
    let isBusy = false;
    for (const departure of this.#active) {
      while (departure.waiting.length > 0 && departure.bucket.tryTake(now)) {
        const session = departure.waiting.shift();
        if (session) this.#depart(departure, session);
      }
      if (departure.waiting.length > 0) isBusy = true;
    }
    if (!isBusy) this.stop();
  }

  #depart(departure: Departure, session: Movable): void {
    const { command, progress } = departure;
    const { config, tickets, now, ledger } = this.#options;
    if (!isWanted(command, session) || !session.connection.isOpen) {
      this.#refuse(departure, session);
      return this.#changed(departure);
    }
    this.#picked.delete(session);
    progress.sent += 1;
    departure.underWay += 1;
    // A bare client knows no move: it is let go, and finds its way through the gateway.
    if (session.connection.isBare || command.pinned === 'close') return this.#close(departure, session);
    const toldAtMs = now();
    this.#options.journal.note('moving', session.claims, {
      plan: planOfMove(command.move),
      to: command.to.node,
    });
    new Attempt(session, {
      command,
      deadlineMs: command.deadlineMs ?? config.moveDeadlineMs,
      config,
      tickets,
      now,
      onEnd: (outcome) => {
        if (outcome === 'pinned') this.#logPinned(session);
        this.#options.past?.moved(session.claims, command.to.node, outcome);
        if (outcome === 'done') ledger.times.add((now() - toldAtMs) / 1_000);
        this.#ended(departure, outcome);
      },
    }).begin();
    this.#changed(departure);
  }

  #close(departure: Departure, session: Movable): void {
    const { connection, claims } = session;
    this.#ended(departure, 'done');
    if (connection.isBare) this.#options.letGo.letGo(claims);
    session.close(connection.isBare ? closeCodes.serviceRestart : closeCodes.drained);
  }

  #refuse({ progress }: Departure, session: Movable): void {
    this.#picked.delete(session);
    this.#options.ledger.pending -= 1;
    this.#options.ledger.ends.add('refused');
    progress.refused += 1;
  }

  #ended(departure: Departure, outcome: AttemptOutcome): void {
    const { ledger } = this.#options;
    const { progress } = departure;
    if (outcome === 'pinned') progress.pinned = (progress.pinned ?? 0) + 1;
    progress[outcome === 'pinned' ? 'failed' : outcome] += 1;
    departure.underWay -= 1;
    ledger.pending -= 1;
    ledger.ends.add(outcome === 'timedOut' ? 'timed-out' : outcome);
    if (outcome === 'done') ledger.done += 1;
    else ledger.failed += 1;
    this.#changed(departure);
  }

  #logPinned({ claims }: Movable): void {
    const unlogged = this.#pinnedLog.pass(performance.now());
    if (unlogged === undefined) return;
    this.#options.log.warn(
      { ...logged(claims), unlogged },
      'session pinned: told to move, its client was brought back here by what is in front, each time',
    );
  }

  #changed(departure: Departure): void {
    const { progress } = departure;
    progress.isFinal = departure.underWay === 0 && departure.waiting.length === 0;
    if (progress.isFinal) this.#active.delete(departure);
    this.#options.ledger.changed(progress);
  }

  #forgetOldest(): void {
    for (const [move, departure] of this.#departures) {
      if (this.#departures.size <= maxRemembered) return;
      if (departure.progress.isFinal) this.#departures.delete(move);
    }
  }
}

/** Those that are kept here are not asked to move, and are closed if a command wants just that. */
const isWanted = ({ pinned }: CommandOf<'reconnect'>, session: Movable): boolean =>
  pinned === 'close' ? session.pin.isHeld && session.state === 'attached' : session.isMovable;
