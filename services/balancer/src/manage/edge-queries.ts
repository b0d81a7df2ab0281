import { randomUUID } from 'node:crypto';
import { type Mesh, type OwnQueue, replyWaitMs } from '@evenkeel/mesh';
import type { EdgeReply } from '@evenkeel/protocol';
import type { NodeView } from '../core/cluster/state.js';
import { busy, ManageError } from './answers.js';

/** Services' questions to users need one each, and one edge that is silent makes each last a second. */
const maxOpen = 1_000;

/** What edges are asked, or told and then asked. */
export type Question =
  | { readonly command: 'where' | 'disconnect'; readonly uid: string }
  | { readonly command: 'disconnect' | 'inspect'; readonly session: string }
  | {
      readonly command: 'send-back';
      readonly uid?: string;
      readonly session?: string;
      readonly ratePerSecond?: number;
    }
  | { readonly command: 'describe' };

interface Open {
  readonly waitsFor: Set<string>;
  readonly replies: EdgeReply[];
  finish(): void;
}

/** What edges have answered. */
export interface Found {
  readonly replies: readonly EdgeReply[];
  /** How many edges have, and which have not. */
  readonly answered: number;
  readonly missing: string[];
}

/** Those that have been heard of late: whoever knows what silent ones have by the register of sessions need not wait for them. */
export const heardOf = (nodes: readonly NodeView[]): NodeView[] =>
  nodes.filter(({ phase }) => phase !== 'suspect');

/** Asks edges and gathers the answers, for a second at most. */
export class EdgeQueries {
  /** The queue of the answers. */
  readonly queue: OwnQueue;
  readonly #mesh: Mesh;
  readonly #id: string;
  readonly #open = new Map<string, Open>();

  constructor(mesh: Mesh, id: string) {
    this.#mesh = mesh;
    this.#id = id;
    this.queue = mesh.control.replies(id, (reply) => this.#take(reply), { name: `balancer.${id}.replies` });
  }

  /**
   * Asks every edge, or `only` one. Of `nodes` all but those that are gone are waited for, silent ones too: what does not answer
   * is named. @throws ManageError `busy`.
   */
  async ask(question: Question, nodes: readonly NodeView[], only?: string): Promise<Found> {
    if (this.#open.size >= maxOpen)
      throw new ManageError(busy, `${maxOpen} questions are open; ask again in a second`);
    const ask = randomUUID();
    const here = nodes.filter((n) => n.phase !== 'gone').map((n) => n.node);
    const asked = only === undefined ? here : [only];
    const waitsFor = new Set(asked);
    const replies: EdgeReply[] = [];
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, replyWaitMs);
      const finish = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#open.set(ask, { waitsFor, replies, finish });
      if (waitsFor.size === 0) finish();
      this.#send({ ...question, reply: this.#id, ask }, only).then((outcome) => {
        if (only !== undefined && outcome === 'unrouted') finish();
      }, reject);
    }).finally(() => this.#open.delete(ask));
    return { replies, answered: asked.length - waitsFor.size, missing: [...waitsFor] };
  }

  #send(command: Question & { reply: string; ask: string }, only: string | undefined) {
    const { control } = this.#mesh;
    return only === undefined
      ? control.sendToAll(command, replyWaitMs)
      : control.send(only, command, replyWaitMs);
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
