import { createHash } from 'node:crypto';
import { monotonicNow } from '@evenkeel/pace';
import type { Answer } from './answers.js';

const MOST = 1000;
const KEEP_MS = 600_000;

/** The answers to the last 1,000 commands of the last ten minutes, by message id: a repeat changes nothing. */
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
    this.#answers.set(id, { digest: digestOf(body), answer, atMs: nowMs });
    if (this.#answers.size <= MOST) return;
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined) this.#answers.delete(oldest);
  }
}

const digestOf = (body: Buffer) => createHash('sha256').update(body).digest('base64');
