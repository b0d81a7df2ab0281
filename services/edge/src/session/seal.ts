import type { Delivery } from '@evenkeel/broker';
import { type GapReason, gapReasons, lossMarks } from '@evenkeel/protocol';
import { Ahead } from './ahead.js';
import type { Holdback } from './holdback.js';
import type { SealOptions } from './seal-options.js';
import { aheadOf, type SealState, sealOf, untold } from './seal-state.js';
import type { SealLeft, SealTaker, Vouch } from './vouch.js';

/** What a client sends this long after it was told something shows that it has heard it. */
const heardMs = 2_000;

/** One that has not come from another edge after this does not come: that edge is no more, or has lost it. */
const comingMs = 10_000;

/** Two edges hear of what is dropped so long one after the other at most, ms. */
const apartMs = 2_000;

/** The name of a seal that does not come. */
const inDoubt = '';

/**
 * A session's queue has at its head a small message that says: nothing was dropped from here that the client was not told of.
 * RabbitMQ drops from the head, a queue made anew has none, and neither has a broker that came back empty: so whoever
 * consumes the queue and does not get it first knows that something is missing. It is held unacknowledged for as long as
 * the queue is consumed: whatever ends that puts it back in its old place.
 */
export class Seal {
  readonly #options: SealOptions;
  /** Until it is begun nobody here knows: whoever is asked then must not pass for one that knows no seals. */
  #state: SealState = {
    is: 'expected',
    name: undefined,
    behind: 0,
    isNew: false,
    reason: gapReasons.overflow,
  };
  /** What the head of the queue is to be has been said: whoever had it has let it go to here. */
  hasBegun = false;
  #whenPlanted: Promise<unknown> = Promise.resolve();
  readonly #madeAtMs: number;
  /** The client has acknowledged so far. */
  #ackedSeq = 0;
  /** Resolves when the one that is under way has come. */
  #come: (() => void) | undefined;
  /** Somebody waits for the session who may wait for the seal as well. */
  #isAwaited = false;
  /** The client has been told of what was dropped before. */
  #toldUpToMs = Number.NEGATIVE_INFINITY;

  constructor(options: SealOptions) {
    this.#options = options;
    this.#madeAtMs = options.now();
  }

  /** Whether the next delivery is to be the seal. */
  get isExpected(): boolean {
    return this.#state.is === 'expected';
  }

  /** Events that are in hand stand before it: should this edge die now, nobody knows of those. */
  get isEarly(): boolean {
    return (aheadOf(this.#state)?.size ?? 0) > 0;
  }

  /** It is to come, and not to come first. */
  get isOnItsWay(): boolean {
    return this.#state.is === 'planted';
  }

  /** It is in hand, and shows that nothing is missing; or there is none. */
  get isAtRest(): boolean {
    return this.isUnwatched || (this.#state.is === 'held' && !this.isEarly);
  }

  /** The queue has none and gets none: what it drops is found out by looking at its length. */
  get isUnwatched(): boolean {
    return this.#state.is === 'unwatched';
  }

  /** The queue is to be consumed. */
  begin(vouch: Vouch): void {
    this.hasBegun = true;
    // A bare client is told of no gap; and an edge of before the seals would write one to it as a message.
    if (this.#options.isBare) {
      this.#state = { is: 'unwatched' };
      return;
    }
    if (vouch.is === 'fresh') return this.#plant(gapReasons.overflow, true);
    if (vouch.is === 'told') return this.#miss(vouch.reason);
    if (vouch.is === 'owed') return this.#owed(vouch.reason);
    if (vouch.is === 'unwatched') {
      this.#state = { is: 'unwatched' };
      return;
    }
    if (vouch.is === 'coming') return this.#await(vouch);
    const { name, behind = 0, isNew = false } = vouch;
    const unlessSaid = this.#options.isOfCluster?.() ? gapReasons.brokerLost : gapReasons.overflow;
    const reason = vouch.reason ?? unlessSaid;
    this.#state = { is: 'expected', name, behind, isNew, reason };
  }

  /** Something was delivered. True: it is a seal, and nobody else's business. Tells a gap that belongs before it. */
  take(delivery: Delivery): boolean {
    const name = sealOf(delivery);
    const state = this.#state;
    if (name === undefined) {
      if (state.is === 'expected') {
        // What stood before it had been delivered.
        if (state.behind > 0 && delivery.redelivered) state.behind -= 1;
        else this.#notThere(state);
      } else aheadOf(state)?.take(delivery);
      return false;
    }
    if (name === lossMarks.begin || name === lossMarks.end) {
      // What stood before it has gone, its seal with it.
      if (state.is === 'expected') this.#options.onLacking?.();
      this.#options.onPassedBy?.(name === lossMarks.end);
      delivery.ack();
      return true;
    }
    const isIt =
      (state.is === 'expected' && (state.name ?? name) === name) ||
      (state.is === 'planted' && state.name === name);
    if (isIt && (state.is === 'planted' || this.#isInPlace(state, delivery))) {
      // One that another edge puts back meanwhile has its old place.
      const old = delivery.redelivered ? aheadOf(state) : undefined;
      this.#state = { is: 'held', name, delivery, ahead: old ?? new Ahead(this.#options.unsettled()) };
      this.#toldUpToMs = this.#options.now();
      this.#come?.();
      return true;
    }
    // A second one says nothing: it was planted in doubt, or by somebody who lost sight of it.
    delivery.ack();
    // What stood before it has gone, or may have.
    if (isIt && state.is === 'expected') this.#notThere(state);
    return true;
  }

  /** Everything that the broker had is here, and the seal was not among it. */
  nothingCame(): void {
    const state = this.#state;
    if (state.is === 'expected') this.#notThere(state);
  }

  /**
   * Something was dropped from behind it: it goes, since it would not show that to whoever comes next. To be told; `isAnother`: also where
   * the client has just been told of a gap.
   * @returns why: where the queue itself has gone nothing else matters.
   */
  spoil(why: GapReason, isAnother = false): GapReason {
    const state = this.#state;
    if (state.is === 'unwatched' || (state.is === 'missing' && !isAnother)) return why;
    if (state.is === 'held') state.delivery.ack();
    const reason = state.is === 'expected' && state.isGone ? state.reason : why;
    this.#state = { is: 'missing', reason, told: untold };
    return reason;
  }

  /** The client is told of what was dropped from behind the seal. `isAnother`: also where it has just been told of a gap. */
  broken(reason: GapReason, isAnother = false): void {
    if (!isAnother && this.#isJustTold()) return;
    if (this.#state.is === 'unwatched') return this.#options.onGap(reason);
    if (this.#state.is === 'expected' && this.#state.behind > 0) return this.#tellBefore(this.#state, reason);
    this.#lack(this.spoil(reason));
  }

  /**
   * Something is missing before the last `before` of what is in hand, and nobody is told: it goes, and whoever has the queue next counts up to
   * the place. undefined: nothing is.
   */
  owe(owed: Holdback['owed']): void {
    const state = this.#state;
    if (owed === undefined || state.is === 'unwatched') return;
    const { reason, before } = owed;
    if (state.is === 'held') state.delivery.ack();
    const behind = (state.is === 'expected' ? state.behind : 0) - before;
    const name = this.#options.newName();
    this.#state = { is: 'expected', name, behind, isNew: false, isOwed: true, reason };
  }

  /** The client has acknowledged up to `seq`. */
  acked(seq: number): void {
    this.#ackedSeq = Math.max(this.#ackedSeq, seq);
    if (this.#state.is === 'missing' && seq > this.#state.told.seq) this.#plant(this.#state.reason);
  }

  /** The client has sent something, or a second has passed. */
  heard(isFromClient: boolean): void {
    const state = this.#state;
    // In its turn: where the other edge is behind with its seals, this one would be with all that it plants instead.
    if (state.is === 'planted' && state.from && this.#options.now() - state.from.sinceMs >= comingMs)
      return this.#plant(state.reason, true);
    if (state.is !== 'missing' || isFromClient === this.#options.isBare) return;
    // What was written before the gap may still be on its way, and the gap behind it.
    if (this.#ackedSeq < state.told.seq && this.#options.counts.unacked > 0) return;
    if (this.#options.now() - state.told.atMs >= heardMs) this.#plant(state.reason);
  }

  /** These are about to be put back, and come once more. */
  comeAgain(deliveries: readonly Delivery[]): void {
    if (this.#state.is === 'expected') this.#state.behind += deliveries.length;
    else aheadOf(this.#state)?.comeAgain(deliveries);
  }

  /** The channel has gone: what was delivered and is not settled is the broker's, in its old places. */
  lost(): void {
    const state = this.#state;
    if (state.is === 'held') {
      const { name } = state;
      const behind = aheadOf(state)?.size ?? 0;
      this.#state = { is: 'expected', name, behind, isNew: false, reason: gapReasons.brokerLost };
    } else if (state.is === 'expected') {
      // Once it consumes, whatever is dropped is the client's.
      this.#state = { ...state, isNew: false, behind: state.behind + this.#options.counts.unacked };
    } else if (state.is === 'planted') {
      // Published by itself it may come behind what was dropped meanwhile. One that was put back comes in its place, and is marked as such.
      const name = state.from ? undefined : inDoubt;
      const behind = aheadOf(state)?.size ?? 0;
      this.#state = { is: 'expected', name, behind, isNew: false, reason: gapReasons.brokerLost };
      this.#come?.();
    }
  }

  /** The queue has been found again, or a new one will be made, for this `reason`; `isFull`: it has as much as it takes. */
  found(isThere: boolean, isFull: boolean, reason: GapReason = gapReasons.sessionExpired): void {
    const state = this.#state;
    if (!isThere) {
      // Also where it was told a moment ago: what came since then is gone with that queue.
      this.#state = { is: 'expected', name: inDoubt, behind: 0, isNew: false, isGone: true, reason };
    } else if (state.is === 'missing') {
      if (!this.#isJustTold()) this.#lack(gapReasons.brokerLost);
    } else if (state.is === 'unwatched') {
      if (isFull) this.#options.onGap(gapReasons.overflow);
    } else if (state.is === 'expected' && !state.isGone && isFull) {
      this.#state = { ...state, reason: gapReasons.overflow };
    }
  }

  /** The client falls behind: one that is to be planted here comes as long as there is room for it, or not before the client is back. */
  hurry(): void {
    const state = this.#state;
    if (state.is !== 'planted' || state.from || state.isHurried) return;
    state.isHurried = true;
    this.#options.hurry(undefined);
  }

  /** Somebody waits for the session, and may wait for the seal as well. */
  awaited(): void {
    this.#isAwaited = true;
    this.#come?.();
  }

  /** Before the queue is left: resolves when a seal that is on its way has come, or after `timeoutMs`. */
  async settled(timeoutMs: number): Promise<void> {
    if (this.#state.is !== 'planted') return;
    this.#options.hurry(this.#state.from?.at);
    if (this.#isAwaited) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#come = end;
      void this.#whenPlanted.then(() => {
        if (this.#state.is !== 'planted') end();
      });
    });
  }

  /** Puts it back, or leaves it for later; to be called before anything else is given back, once nothing more comes. */
  giveBack({ knowsSeals, waitsForSeal, mayLeaveSeal }: SealTaker): SealLeft {
    const state = this.#state;
    this.#state = { is: 'unwatched' };
    const { node } = this.#options;
    const behind = aheadOf(state)?.size ?? 0;
    if (waitsForSeal && state.is === 'planted')
      return { seal: { name: state.name, behind, at: state.from?.at ?? node } };
    if (mayLeaveSeal && state.is === 'held') {
      this.#options.leave(state.name, state.delivery);
      return { seal: { name: state.name, behind, at: node } };
    }
    // Put back meanwhile, it is in its place, and marked: one that is published only now says nothing.
    if (state.is === 'planted' && state.from) return { seal: { behind } };
    if (state.is === 'held') {
      if (knowsSeals) state.delivery.requeue();
      else state.delivery.ack();
      return { seal: { name: state.name, behind } };
    }
    if (state.is === 'expected') {
      // What it has given of those before it goes back as well.
      const { name, isOwed } = state;
      const behind = state.behind + this.#options.counts.unacked;
      if (isOwed && behind > 0) return { owed: state.reason, seal: { name, behind, reason: state.reason } };
      if (isOwed || name === inDoubt) return { owed: state.reason };
      const reason = state.reason === gapReasons.overflow ? undefined : state.reason;
      return { seal: { name: state.name, behind, ...(reason && { reason }) } };
    }
    return state.is === 'unwatched' ? {} : { owed: state.reason };
  }

  /**
   * Somebody has had it in hand: that one names it, or the broker says so, mostly. One that was not delivered yet may have stood behind
   * events that were dropped since; only before the very first attach of a session that is no matter.
   */
  #isInPlace({ behind, name, isNew }: SealState & { is: 'expected' }, { redelivered }: Delivery): boolean {
    return behind === 0 && (redelivered || name !== undefined || isNew);
  }

  #owed(reason: GapReason): void {
    this.#state = { is: 'expected', name: inDoubt, behind: 0, isNew: false, isGone: true, reason };
  }

  /** This edge may have it itself, from when it had the session last; or have heard what was dropped, sooner than who says that nothing was. */
  #await({ name, at, behind = 0, wasAway }: Vouch & { is: 'coming' }): void {
    const { node, takeBack, whyDropped, now } = this.#options;
    const sinceMs = now();
    const why = wasAway ? whyDropped(this.#madeAtMs - apartMs) : undefined;
    if (why !== undefined) return this.#owed(why);
    const delivery = at === node ? takeBack(name) : undefined;
    this.#toldUpToMs = sinceMs;
    const ahead = new Ahead([], behind);
    if (delivery) this.#state = { is: 'held', name, delivery, ahead };
    else this.#state = { is: 'planted', name, reason: gapReasons.overflow, from: { at, ahead, sinceMs } };
  }

  #isJustTold(): boolean {
    return this.#state.is === 'missing' && this.#state.told.passed === this.#options.counts.passed;
  }

  /** Who begins has missed nothing, whatever was dropped before. */
  #notThere(state: SealState & { is: 'expected' }): void {
    if (!state.isNew) return this.#lackExpected(state);
    this.#options.onLacking?.();
    this.#plant(state.reason);
  }

  #lackExpected({ isGone, reason }: SealState & { is: 'expected' }): void {
    this.#options.onLacking?.();
    this.#lack(isGone ? reason : (this.#options.whyDropped(this.#toldUpToMs) ?? reason));
  }

  /** What comes again may be before what is missing: whether it is shows in its place. */
  #tellBefore(state: SealState & { is: 'expected' }, reason: GapReason): void {
    const { passed } = this.#options.counts;
    if (state.toldAt !== passed) this.#options.onGap(reason);
    state.toldAt = passed;
  }

  #lack(reason: GapReason): void {
    this.#options.onGap(reason);
    this.#miss(reason);
  }

  #miss(reason: GapReason): void {
    const { counts, now, seq } = this.#options;
    const told = { seq: seq(), passed: counts.passed, atMs: now() };
    this.#toldUpToMs = told.atMs;
    this.#state = { is: 'missing', reason, told };
    this.#come?.();
  }

  #plant(reason: GapReason, isFirst = false): void {
    if (this.#options.isBare) return;
    const name = this.#options.newName();
    const planted: SealState = { is: 'planted', name, reason };
    this.#state = planted;
    this.#whenPlanted = this.#options.plant(name, isFirst).then((isThere) => {
      // It is tried again later.
      if (!isThere && this.#state === planted) this.#miss(reason);
    });
  }
}
