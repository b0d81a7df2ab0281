import type { PublishOutcome } from '@evenkeel/broker';
import { LogLimit } from '@evenkeel/pace';
import { type EdgeCommand, fromUid, type SessionsReport, splitSessionRef } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { ClusterState, NodeView } from '../core/cluster/state.js';
import { type Holder, type Orphans, SessionRegister } from './register.js';

/** Sessions of a user that no edge has answered for. */
export interface Unanswered {
  readonly sids: string[];
  /** False: an edge is silent whose sessions are not all known. */
  readonly isAll: boolean;
}

/** How often the register is looked through, ms. */
const everyMs = 1_000;
/** Commands at a time, each with 500 sessions at most; the rest goes a second later. */
const maxCommands = 50;
const logEveryMs = 5_000;

export interface GuardianOptions {
  view: Pick<ClusterState, 'get' | 'nodes'>;
  send(node: string, command: EdgeCommand): Promise<PublishOutcome>;
  /** Whether this balancer leads: the others keep the register, and do nothing. */
  isLeading(): boolean;
  log: Pick<Log, 'debug' | 'info' | 'warn'>;
  steadyNow(): number;
}

/** Sees to it that sessions of edges that are gone come into the care of others. */
export class Guardian {
  /** Sessions offered to edges. */
  offered = 0;
  readonly register: SessionRegister;
  readonly #options: GuardianOptions;
  readonly #failedLog = new LogLimit(logEveryMs);
  /** Left over from the last time. */
  #orphans: Orphans[] = [];
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GuardianOptions) {
    this.#options = options;
    this.register = new SessionRegister({ isAlive: (holder) => this.#isAlive(holder) });
  }

  start(): void {
    this.#timer = setInterval(() => this.tick(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  onReport(report: SessionsReport): void {
    const isUnknown = this.register.take(report, this.#options.steadyNow());
    if (isUnknown) this.#send(report.node, { command: 'sessions' });
  }

  /** What a user has on edges that are silent, or gone and not yet seen to by others: by the register. */
  unanswered(uid: string, answered: readonly Holder[]): Unanswered {
    const sids = this.register.elsewhere(uid, answered).map((key) => splitSessionRef(key).sid);
    const isHidden = ({ node, phase, stats }: NodeView) =>
      phase === 'suspect' && !this.register.isKnown({ node, boot: stats.boot });
    return { sids, isAll: !this.#options.view.nodes(this.#options.steadyNow()).some(isHidden) };
  }

  tick(): void {
    const { isLeading, view, steadyNow, log } = this.#options;
    if (!isLeading()) return;
    for (const { node, sessions } of this.register.takeForgotten())
      this.#send(node, { command: 'forget', sessions });
    const nowMs = steadyNow();
    if (this.#orphans.length === 0) this.#orphans = this.register.orphans(nowMs);
    const takers = view.nodes(nowMs).filter((node) => this.#mayAdopt(node));
    const offers = this.#orphans.splice(0, maxCommands);
    for (const orphans of offers) {
      const taker = takers[this.#turn++ % takers.length];
      if (taker === undefined) this.register.returned(orphans);
      else this.#offer(orphans, taker.node);
    }
    const first = offers[0];
    if (first !== undefined && takers.length > 0) {
      const sessions = offers.reduce((sum, { sessions: some }) => sum + some.length, 0);
      log.info(
        { from: first.node, silentMs: first.silentMs, sessions },
        'sessions of an edge that is gone offered',
      );
    }
  }

  /** An edge that reports its sessions, and that stays. */
  #mayAdopt({ node, phase, stats }: NodeView): boolean {
    const stays = phase === 'active' || phase === 'cordoned' || phase === 'joining';
    return stays && this.register.reports({ node, boot: stats.boot });
  }

  #offer(orphans: Orphans, node: string): void {
    this.offered += orphans.sessions.length;
    this.#options.send(node, { command: 'adopt', ...orphans }).then(
      (outcome) => {
        if (outcome === 'unrouted') return this.register.returned(orphans);
        this.#follow(orphans, node);
      },
      (error: unknown) => {
        this.register.returned(orphans);
        this.#failed(error, 'adopt');
      },
    );
  }

  /** For whoever follows one of them. */
  #follow({ node: from, sessions }: Orphans, to: string): void {
    for (const [key] of sessions) {
      const [uid = '', session] = key.split('.');
      this.#options.log.debug({ user: fromUid(uid), session, from, to }, 'offered');
    }
  }

  #send(node: string, command: EdgeCommand): void {
    this.#options.send(node, command).catch((error: unknown) => this.#failed(error, command.command));
  }

  #failed(error: unknown, command: string): void {
    const suppressed = this.#failedLog.pass(performance.now());
    if (suppressed !== undefined)
      this.#options.log.warn({ err: error, command, suppressed }, 'command not sent');
  }

  #isAlive({ node, boot }: Holder): boolean {
    const known = this.#options.view.get(node, this.#options.steadyNow());
    return known !== undefined && known.stats.boot === boot && known.phase !== 'gone';
  }
}
