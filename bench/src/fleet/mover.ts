import { randomBytes } from 'node:crypto';
import type { Publisher } from '@evenkeel/broker';
import { edgeKey, exchanges } from '@evenkeel/protocol';
import type { MovePace, MoverCounts, NodeAddress } from './messages.js';

/** Moves asked for and not finished, a client process: what paces the mover when the mesh is slower than asked. */
export const maxUnderWay = 120;
const tickMs = 20;
/** Moves that are made up for after a pause of this process: those of this long, or two of them. */
const madeUpMs = 250;
/** A move asked for that never began is asked for again after this. */
const forgottenMs = 12_000;

/** A client as far as a mover needs it. */
export interface Movable {
  /** `<uid>.<sid>` */
  readonly sessionKey: string;
  readonly client: { readonly state: string; readonly node: string | undefined };
  /** Moved by nobody. */
  readonly isControl: boolean;
  readonly isMoving: boolean;
  /** A move has been asked for, at this time, ms; 0: none is. */
  askedAtMs: number;
}

/** How many moves are due: a rate below one a turn is carried on, what could not be done in its time is left out. */
export class MoveBudget {
  leftOut = 0;
  #perSecond = 0;
  #due = 0;

  set perSecond(perSecond: number) {
    if (perSecond === 0) this.#due = 0;
    this.#perSecond = perSecond;
  }

  /** Time has passed; answers how many whole moves are due. */
  add(elapsedMs: number): number {
    const limit = Math.max(2, (this.#perSecond * madeUpMs) / 1_000);
    const due = this.#due + (this.#perSecond * elapsedMs) / 1_000;
    this.leftOut += Math.max(0, due - limit);
    this.#due = Math.min(limit, due);
    return Math.floor(this.#due);
  }

  spend(moves: number): void {
    this.#due -= moves;
  }
}

/** Asks the edges, in turn, to move the sessions round and round, as a balancer would: by `reconnect` commands. */
export class Mover {
  readonly #clients: readonly Movable[];
  readonly #tally: { readonly movesUnderWay: number };
  readonly #edges: readonly NodeAddress[];
  readonly #publisher: Publisher;
  readonly #userId: string | undefined;
  readonly #budget = new MoveBudget();
  #pace: MovePace = { perSecond: 0 };
  /** Of two with the same names for their moves, edges would take those of one for repeats. */
  readonly #name = randomBytes(6).toString('hex');
  #timer: NodeJS.Timeout | undefined;
  #lastTickAtMs = 0;
  #next = 0;
  #command = 0;
  #counts = noCounts();

  constructor(
    clients: readonly Movable[],
    tally: { readonly movesUnderWay: number },
    edges: readonly NodeAddress[],
    publisher: Publisher,
    userId: string | undefined,
  ) {
    this.#clients = clients;
    this.#tally = tally;
    this.#edges = edges;
    this.#publisher = publisher;
    this.#userId = userId;
  }

  get counts(): MoverCounts {
    return { ...this.#counts, leftOut: Math.round(this.#budget.leftOut) };
  }

  resetCounts(): void {
    this.#counts = noCounts();
    this.#budget.leftOut = 0;
  }

  pace(pace: MovePace): void {
    this.#pace = pace;
    this.#budget.perSecond = pace.perSecond;
    if (pace.perSecond > 0) {
      this.#lastTickAtMs = performance.now();
      this.#timer ??= setInterval(() => this.#tick(), tickMs);
    } else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #tick(): void {
    const elapsedMs = performance.now() - this.#lastTickAtMs;
    this.#lastTickAtMs += elapsedMs;
    const due = this.#budget.add(elapsedMs);
    if (due === 0) return;
    const allowed = Math.min(due, maxUnderWay - this.#tally.movesUnderWay);
    const chosen = this.#choose(allowed);
    this.#counts.turnsDue++;
    if (chosen < allowed) this.#counts.turnsNobodyFree++;
    else if (allowed < due) this.#counts.turnsAtLimit++;
    this.#counts.asked += chosen;
    this.#budget.spend(chosen);
  }

  /** Answers how many of `wanted` sessions were found and are being moved. */
  #choose(wanted: number): number {
    const now = Date.now();
    const commands = new Map<string, { from: string; to: NodeAddress; sessions: string[] }>();
    let left = wanted;
    for (let looked = 0; looked < this.#clients.length && left > 0; looked += 1) {
      const client = this.#clients[this.#next++ % this.#clients.length];
      if (!client || !this.#isFree(client, now)) continue;
      const from = client.client.node ?? '';
      const to = this.#target(from);
      if (!to) continue;
      client.askedAtMs = now;
      const key = `${from} ${to.node}`;
      const command = commands.get(key) ?? { from, to, sessions: [] };
      command.sessions.push(client.sessionKey);
      commands.set(key, command);
      left -= 1;
    }
    for (const { from, to, sessions } of commands.values()) this.#send(from, to, sessions);
    return wanted - left;
  }

  #send(from: string, to: NodeAddress, sessions: readonly string[]): void {
    this.#command += 1;
    const body = {
      command: 'reconnect',
      move: `bench-${this.#name}-${this.#command}`,
      to,
      sessions,
      ratePerSecond: 100_000,
      deadlineMs: 10_000,
      reason: 'bench',
    };
    const properties = { userId: this.#userId };
    this.#publisher
      .publish(exchanges.control, edgeKey(from), JSON.stringify(body), properties)
      .catch(() => {});
  }

  #isFree(client: Movable, nowMs: number): boolean {
    if (client.isControl || client.isMoving || client.client.state !== 'connected') return false;
    return client.askedAtMs === 0 || nowMs - client.askedAtMs > forgottenMs;
  }

  #target(from: string): NodeAddress | undefined {
    const at = this.#edges.findIndex((edge) => edge.node === from);
    if (at < 0 || (this.#pace.from !== undefined && from !== this.#pace.from)) return undefined;
    const { to } = this.#pace;
    if (to !== undefined) return from === to ? undefined : this.#edges.find((edge) => edge.node === to);
    return this.#edges[(at + 1) % this.#edges.length];
  }
}

const noCounts = () => ({ turnsDue: 0, turnsAtLimit: 0, turnsNobodyFree: 0, asked: 0 });
