import { postSigned, type SignedEndpoint } from '@evenkeel/runtime';
import { type Answered, answerMs, maxAnswerBytes } from './questions.js';

export interface HookOptions {
  /** As the rules have it at this moment. */
  address(): SignedEndpoint | undefined;
  /** Ms since the epoch. */
  wallNow(): number;
}

/** Questions open at most; beyond it there is no answer. */
const maxOpen = 256;

/** Asks an endpoint of the application: `POST`, JSON, signed; no redirect is followed. */
export class Hook {
  readonly #options: HookOptions;
  #open = 0;

  constructor(options: HookOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async ask(question: object): Promise<Answered> {
    const address = this.#options.address();
    if (address === undefined || this.#open >= maxOpen) return { is: 'unavailable' };
    this.#open += 1;
    try {
      const nowMs = this.#options.wallNow();
      const limits = { timeoutMs: answerMs, maxBytes: maxAnswerBytes, nowMs };
      const { status, answer } = await postSigned(address, question, limits);
      const isAnswered = status >= 200 && status < 300;
      return { is: 'answer', body: isAnswered ? answer : undefined };
    } catch {
      return { is: 'silent' };
    } finally {
      this.#open -= 1;
    }
  }
}
