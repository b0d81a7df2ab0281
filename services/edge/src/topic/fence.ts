import type { PublishOutcome } from '@evenkeel/broker';
import { countdown } from '@evenkeel/pace';

/** A marker that has not come back for this long keeps the next one waiting no longer: it may have been dropped. */
const patienceMs = 250;
/** Markers sent and not back; beyond it the oldest is forgotten. */
const maxInFlight = 64;

/** A session that leaves for another edge. */
export interface Leaving {
  /** `<uid>.<sid>` */
  readonly session: string;
  /** The edge that it moves to, which is to tell its client where it has the same marker. */
  readonly to: string;
  /** Called before anything younger than the marker is handled. */
  reached(marker: number): void;
}

interface Waiter {
  /** The first marker that proves it. */
  readonly marker: number;
  leaving: Leaving | undefined;
  settle(hasPassed: boolean): void;
}

export interface FenceOptions {
  /** Publishes a marker that is to come back through the topic queue, and to reach the edges that these leave for. */
  send(marker: number, leaving: readonly Leaving[]): Promise<PublishOutcome>;
  /** A marker was overtaken by a later one: the queue, which keeps the order, has dropped it and what was older. */
  onDropped(): void;
  /** Asked about a marker that has come back after `tookMs`: whether nothing older than it went missing untold. */
  confirm(tookMs: number): true | Promise<boolean>;
  now(): number;
}

/**
 * Shows that the topic queue has passed a point in time: a marker is sent through it, and when it comes back everything
 * older has been handled. Markers are shared: one under way serves all who ask meanwhile with the next.
 */
export class Fence {
  readonly #options: FenceOptions;
  /** In the order of their markers. */
  readonly #waiters = new Set<Waiter>();
  /** Markers sent and not back, with the time of sending, in order. */
  readonly #inFlight = new Map<number, number>();
  #sent = 0;
  /** Set while the newest marker keeps the next one waiting. */
  #holding: NodeJS.Timeout | undefined;

  constructor(options: FenceOptions) {
    this.#options = options;
  }

  /**
   * true: everything that was in the queue at the time of the call has been handled. false: not shown while this process
   * ran for `timeoutMs`. After a standstill the marker may have come long ago and wait to be read.
   */
  wait(timeoutMs: number, leaving?: Leaving): Promise<boolean> {
    return new Promise((resolve) => {
      const end = countdown(timeoutMs, () => waiter.settle(false));
      const waiter: Waiter = {
        // A marker on its way was sent before this call: only a later one proves anything.
        marker: this.#sent + 1,
        leaving,
        settle: (hasPassed) => {
          end();
          this.#waiters.delete(waiter);
          resolve(hasPassed);
        },
      };
      this.#waiters.add(waiter);
      if (this.#holding === undefined) this.#send();
    });
  }

  /** A marker has come back. */
  passed(marker: number): void {
    // Only those on their way count: anybody who may publish there can send one, and the publisher may repeat one.
    const sentAtMs = this.#inFlight.get(marker);
    if (sentAtMs === undefined) return;
    let hasOvertaken = false;
    for (const older of this.#inFlight.keys()) {
      if (older > marker) break;
      this.#inFlight.delete(older);
      if (older < marker) hasOvertaken = true;
    }
    if (hasOvertaken) this.#options.onDropped();
    this.#reached(marker);
    const verdict = this.#options.confirm(this.#options.now() - sentAtMs);
    if (verdict === true) this.#end(marker, true);
    else void verdict.then((isConfirmed) => this.#end(marker, isConfirmed));
  }

  /** The queue has gone, with all that was in it: nobody's wait can be fulfilled. */
  lost(): void {
    this.#inFlight.clear();
    this.#settle(this.#sent + 1, false);
    this.#hold(undefined);
  }

  #send(): void {
    this.#sent += 1;
    const marker = this.#sent;
    const [oldest] = this.#inFlight.keys();
    if (oldest !== undefined && this.#inFlight.size >= maxInFlight) this.#inFlight.delete(oldest);
    this.#inFlight.set(marker, this.#options.now());
    this.#hold(setTimeout(() => this.#proceed(), patienceMs).unref());
    const leaving = [...this.#waiters].flatMap((waiter) => waiter.leaving ?? []);
    this.#options.send(marker, leaving).then(
      (outcome) => {
        if (outcome === 'unrouted') this.#failed(marker);
      },
      () => this.#failed(marker),
    );
  }

  /** It is not in the queue: there is none, or the broker did not take it. */
  #failed(marker: number): void {
    if (this.#inFlight.delete(marker)) this.#end(marker, false);
  }

  #end(marker: number, hasPassed: boolean): void {
    this.#settle(marker, hasPassed);
    if (marker === this.#sent) this.#proceed();
  }

  #proceed(): void {
    this.#hold(undefined);
    if (this.#waiters.size > 0) this.#send();
  }

  #hold(timer: NodeJS.Timeout | undefined): void {
    clearTimeout(this.#holding);
    this.#holding = timer;
  }

  #reached(marker: number): void {
    for (const waiter of this.#waiters) {
      if (waiter.marker > marker) return;
      waiter.leaving?.reached(marker);
      // Once: a later marker changes nothing.
      waiter.leaving = undefined;
    }
  }

  #settle(marker: number, hasPassed: boolean): void {
    for (const waiter of this.#waiters) {
      if (waiter.marker > marker) return;
      waiter.settle(hasPassed);
    }
  }
}
