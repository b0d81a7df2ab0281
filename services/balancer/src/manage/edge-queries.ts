import { randomUUID } from 'node:crypto';
import { type Mesh, type OwnQueue, replyWaitMs } from '@evenkeel/mesh';
import type { EdgeReply } from '@evenkeel/protocol';
import type { NodeView } from '../core/cluster/state.js';
import { ManageError } from './answers.js';
import { carried } from './carried.js';

const maxOpen = 100;

interface Question {
  readonly waitsFor: Set<string>;
  readonly replies: EdgeReply[];
  finish(): void;
}

/** What edges have answered. */
export interface Found {
  ok: true;
  user: string;
  sessions: EdgeReply['sessions'];
  /** Edges that have, and those that have not. */
  answered: number;
  missing: string[];
  [key: string]: unknown;
}

/** Asks every edge about a user and gathers the answers, for a second at most. */
export class EdgeQueries {
  /** The queue of the answers. */
  readonly queue: OwnQueue;
  readonly #mesh: Mesh;
  readonly #id: string;
  readonly #open = new Map<string, Question>();

  constructor(mesh: Mesh, id: string) {
    this.#mesh = mesh;
    this.#id = id;
    this.queue = mesh.control.replies(id, (reply) => this.#take(reply), { name: `balancer.${id}.replies` });
  }

  /** @throws ManageError `bad-user`, `busy`. */
  async ask(command: 'where' | 'disconnect', user: string, nodes: readonly NodeView[]): Promise<Found> {
    if (this.#open.size >= maxOpen)
      throw new ManageError('busy', `${maxOpen} questions are open; ask again in a second`);
    const uid = carried(user);
    const ask = randomUUID();
    const waitsFor = new Set(
      nodes.filter((n) => n.phase !== 'gone' && n.phase !== 'suspect').map((n) => n.node),
    );
    const replies: EdgeReply[] = [];
    const asked = new Set(waitsFor);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, replyWaitMs);
      const finish = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#open.set(ask, { waitsFor, replies, finish });
      if (waitsFor.size === 0) finish();
      this.#mesh.control.sendToAll({ command, uid, reply: this.#id, ask }, replyWaitMs).catch(reject);
    }).finally(() => this.#open.delete(ask));
    return {
      ok: true,
      user,
      sessions: replies.flatMap((r) => r.sessions),
      answered: asked.size - waitsFor.size,
      missing: [...waitsFor],
    };
  }

  #take(reply: EdgeReply): void {
    const question = this.#open.get(reply.ask);
    if (question === undefined) return;
    if (question.replies.some((r) => r.node === reply.node && r.boot === reply.boot)) return;
    question.replies.push(reply);
    question.waitsFor.delete(reply.node);
    if (question.waitsFor.size === 0) question.finish();
  }
}
