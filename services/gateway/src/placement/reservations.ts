import type { NodeStats } from '@evenkeel/protocol';

/** Reservations kept at most, over all nodes; at the limit the oldest goes. */
const maxReservations = 200_000;
/** What stays of an unmatched growth after a second: a socket whose handshake fails is never reported. */
const debtKeptPerSecond = 0.97;
/** Longest gap between two stats over which their rate is believed, ms. */
const maxIntervalMs = 5_000;

interface Reservation {
  uid: string;
  node: string;
  expiresAtMs: number;
}

/**
 * Clients that were sent to a node and do not show in its statistics yet.
 *
 * Statistics are up to a second old, so a burst that is placed by them alone lands on one node. Each ticket
 * adds one here. It goes when the node reports a handshake, oldest first; when the session gets a newer
 * ticket; or when the ticket expires.
 *
 * Handshakes, not the growth of `sessions`, retire reservations: where as many leave as come, the count
 * stands still while tickets are being used. Yet a growth beyond the reported handshakes is proof as well
 * (the rate may be smoothed); what is retired on that proof is taken off the handshakes that follow.
 */
export class Reservations {
  readonly #mostPerUser: number;
  /** Insertion order is the order of issue. */
  readonly #all = new Map<string, Reservation>();
  readonly #perNode = new Map<string, Set<string>>();
  readonly #perUser = new Map<string, Set<string>>();
  /** Handshakes reported and not matched yet; negative after growth ran ahead of them. */
  readonly #credit = new Map<string, number>();

  /** `mostPerUser`: clients of one user that count; with a further one its oldest counts no more. */
  constructor(mostPerUser: number) {
    this.#mostPerUser = mostPerUser;
  }

  /** How many are under way to `node`. */
  of(node: string): number {
    return this.#perNode.get(node)?.size ?? 0;
  }

  get size(): number {
    return this.#all.size;
  }

  /** One ticket was issued. An earlier one of the same session counts no longer. */
  add(uid: string, sid: string, node: string, expiresAtMs: number): void {
    const session = `${uid}.${sid}`;
    this.#remove(session);
    const ofUser = this.#perUser.get(uid) ?? new Set();
    const [first] = ofUser;
    // Tickets cost nothing: whoever asks for hundreds is to fill no edge with them.
    if (ofUser.size >= this.#mostPerUser && first !== undefined) this.#remove(first);
    if (this.#all.size >= maxReservations) {
      const oldest = this.#all.keys().next();
      if (!oldest.done) this.#remove(oldest.value);
    }
    this.#all.set(session, { uid, node, expiresAtMs });
    this.#perUser.set(uid, ofUser.add(session));
    const sessions = this.#perNode.get(node);
    if (sessions) sessions.add(session);
    else this.#perNode.set(node, new Set([session]));
  }

  /**
   * Retires what `next` shows to have arrived since `previous`, both of one boot and heard `elapsedMs` apart: of so many that have
   * arrived, one that was sent from here for each `factor`. Returns how many have arrived.
   */
  settle(previous: NodeStats, next: NodeStats, elapsedMs: number, factor = 1): number {
    const node = next.node;
    const intervalMs = Math.min(elapsedMs, maxIntervalMs);
    const grown = Math.max(0, next.sessions - previous.sessions) / factor;
    const before = this.#credit.get(node) ?? 0;
    const kept = before < 0 ? before * debtKeptPerSecond ** (intervalMs / 1_000) : before;
    const handshakes = (next.handshakesPerSecond * intervalMs) / 1_000;
    const credit = kept + handshakes / factor;
    // A tenth short of a whole handshake is a rounded rate, not a missing one.
    const arrived = Math.max(Math.floor(grown), Math.floor(credit + 0.1), 0);
    const sessions = this.#perNode.get(node);
    let retired = 0;
    for (const session of sessions ?? []) {
      if (retired >= arrived) break;
      this.#remove(session);
      retired++;
    }
    // Handshakes beyond what was reserved (moves, other gateways' tickets) must not retire later tickets.
    this.#credit.set(node, Math.min(credit - arrived, 0.9));
    return handshakes;
  }

  /** A new process: what was under way to the old one never arrives. */
  reset(node: string): void {
    for (const session of [...(this.#perNode.get(node) ?? [])]) this.#remove(session);
    this.#credit.delete(node);
  }

  expire(nowMs: number): void {
    for (const [session, reservation] of this.#all) {
      if (reservation.expiresAtMs > nowMs) return;
      this.#remove(session);
    }
  }

  #remove(session: string): void {
    const reservation = this.#all.get(session);
    if (reservation === undefined) return;
    this.#all.delete(session);
    const sessions = this.#perNode.get(reservation.node);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#perNode.delete(reservation.node);
    const ofUser = this.#perUser.get(reservation.uid);
    ofUser?.delete(session);
    if (ofUser?.size === 0) this.#perUser.delete(reservation.uid);
  }
}
