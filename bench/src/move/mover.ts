import type { Publisher } from '@evenkeel/broker';
import { edgeKey, exchanges, toUid } from '@evenkeel/protocol';
import { maxUnderWay } from './options.js';
import { type Roster, type Subject, userOf } from './roster.js';

const tickMs = 20;
/** A move asked for that never began is asked for again after this. */
const forgottenMs = 12_000;

/** Asks the edges, in turn, to move the sessions round and round, as a balancer would: by `reconnect` commands. */
export class Mover {
  readonly #roster: Roster;
  readonly #edges: { node: string; url: string }[];
  readonly #publisher: Publisher;
  #timer: NodeJS.Timeout | undefined;
  #perSecond = 0;
  #from: string | undefined;
  #to: string | undefined;
  #due = 0;
  #next = 0;
  #command = 0;

  constructor(roster: Roster, edges: { node: string; url: string }[], publisher: Publisher) {
    this.#roster = roster;
    this.#edges = edges;
    this.#publisher = publisher;
  }

  /** `from` and `to` restrict the moves to those that leave or reach one node. */
  pace(perSecond: number, from: string | undefined, to: string | undefined): void {
    this.#perSecond = perSecond;
    this.#from = from;
    this.#to = to;
    this.#due = 0;
    if (perSecond > 0) this.#timer ??= setInterval(() => this.#tick(), tickMs);
    else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #tick(): void {
    this.#due = Math.min(this.#perSecond / 4, this.#due + (this.#perSecond * tickMs) / 1000);
    const now = Date.now();
    const commands = new Map<string, { to: { node: string; url: string }; sessions: string[] }>();
    const { subjects } = this.#roster;
    let left = Math.min(Math.floor(this.#due), maxUnderWay - this.#roster.movesUnderWay);
    for (let looked = 0; looked < subjects.length && left > 0; looked += 1) {
      const subject = subjects[this.#next++ % subjects.length];
      if (!subject || !this.#isFree(subject, now)) continue;
      const to = this.#target(subject);
      if (!to) continue;
      subject.askedAtMs = now;
      const key = `${subject.client.node} ${to.node}`;
      const command = commands.get(key) ?? { to, sessions: [] };
      command.sessions.push(`${toUid(userOf(subject.number))}.${subject.client.session}`);
      commands.set(key, command);
      left -= 1;
      this.#due -= 1;
    }
    for (const [key, { to, sessions }] of commands) {
      const [from = ''] = key.split(' ');
      this.#command += 1;
      const body = {
        command: 'reconnect',
        move: `bench-${process.pid}-${this.#command}`,
        to,
        sessions,
        ratePerSecond: 100_000,
        deadlineMs: 10_000,
        reason: 'bench',
      };
      this.#publisher.publish(exchanges.control, edgeKey(from), JSON.stringify(body)).catch(() => {});
    }
  }

  #isFree(subject: Subject, nowMs: number): boolean {
    if (subject.isControl || subject.isMoving || subject.client.state !== 'connected') return false;
    return subject.askedAtMs === 0 || nowMs - subject.askedAtMs > forgottenMs;
  }

  #target(subject: Subject): { node: string; url: string } | undefined {
    const at = this.#edges.findIndex((edge) => edge.node === subject.client.node);
    if (at < 0 || (this.#from !== undefined && subject.client.node !== this.#from)) return undefined;
    if (this.#to !== undefined) {
      return subject.client.node === this.#to
        ? undefined
        : this.#edges.find((edge) => edge.node === this.#to);
    }
    return this.#edges[(at + 1) % this.#edges.length];
  }
}
