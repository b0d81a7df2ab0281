import { createHmac } from 'node:crypto';
import { type Answered, answerMs, jsonOf, maxAnswerBytes } from './questions.js';

/** Where the application answers over HTTPS. */
export interface HookAddress {
  readonly url: string;
  /** Signs what it is asked. */
  readonly secret: string;
}

export interface HookOptions {
  /** As the rules have it at this moment. */
  address(): HookAddress | undefined;
  /** Ms since the epoch. */
  wallNow(): number;
}

/** Questions open at most; beyond it there is no answer. */
const maxOpen = 256;
const signatureHeader = 'evenkeel-signature';

/** `t=<s>,v1=<hex>`: when it was asked, and the HMAC-SHA256 of `<t>.<body>`. */
export function signatureOf(body: string, secret: string, nowMs: number): string {
  const t = Math.floor(nowMs / 1_000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}

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
      return await this.#post(address, JSON.stringify(question));
    } catch {
      return { is: 'silent' };
    } finally {
      this.#open -= 1;
    }
  }

  async #post({ url, secret }: HookAddress, body: string): Promise<Answered> {
    const response = await fetch(url, {
      method: 'POST',
      body,
      redirect: 'error',
      headers: {
        'content-type': 'application/json',
        [signatureHeader]: signatureOf(body, secret, this.#options.wallNow()),
      },
      signal: AbortSignal.timeout(answerMs),
    });
    const text = await textOf(response);
    return { is: 'answer', body: response.ok && text ? jsonOf(text) : undefined };
  }
}

/** Undefined: it is longer than an answer may be. */
async function textOf({ body }: Response): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.length;
    // Leaving the loop cancels the rest.
    if (bytes > maxAnswerBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
