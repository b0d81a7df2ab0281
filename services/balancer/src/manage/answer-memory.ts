import { createHash } from 'node:crypto';
import { monotonicNow } from '@evenkeel/pace';
import { type Answer, busy } from './answers.js';

const MOST = 1000;
const KEEP_MS = 600_000;

/**
 * The answers to the last 1,000 commands of the last ten minutes, by message id: a repeat changes nothing. Edges that have not
 * answered, or could not be asked, are asked by a repeat: such an answer is not kept.
 */
export class AnswerMemory {
  readonly #answers = new Map<string, { digest: string; answer: Answer; atMs: number }>();

  /** The answer given before; undefined for a new id, and for an old one that comes with another body. */
  get(id: string, body: Buffer, nowMs: number = monotonicNow()): Answer | undefined {
    const entry = this.#answers.get(id);
    if (entry === undefined || nowMs - entry.atMs > KEEP_MS || entry.digest !== digestOf(body))
      return undefined;
    return entry.answer;
  }

  set(id: string, body: Buffer, answer: Answer, nowMs: number = monotonicNow()): void {
    this.#answers.delete(id);
    if (isUnfinished(answer)) return;
    this.#answers.set(id, { digest: digestOf(body), answer, atMs: nowMs });
    if (this.#answers.size <= MOST) return;
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined) this.#answers.delete(oldest);
  }
}

const isUnfinished = (answer: Answer): boolean =>
  answer.ok ? Array.isArray(answer.missing) && answer.missing.length > 0 : answer.error.code === busy;

const digestOf = (body: Buffer) => createHash('sha256').update(body).digest('base64');
