import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

interface Key {
  readonly key: Buffer;
  /** Names the key, and says nothing of it. */
  readonly kid: string;
}

/**
 * Claims that are signed: `base64url(JSON) . base64url(HMAC-SHA256)`. The key is derived from a secret and from what the claims
 * are for, so that no text that is good for one purpose is good for another.
 */
export class Sealed {
  readonly #keys: readonly Key[];
  readonly #signing: Key;
  readonly #maxChars: number;

  /**
   * @param secrets the first signs; all are accepted
   * @throws RangeError when none is given
   */
  constructor(secrets: readonly string[], purpose: string, maxChars: number) {
    this.#keys = secrets.map((secret) => {
      const key = createHmac('sha256', secret).update(purpose).digest();
      return { key, kid: createHash('sha256').update(key).digest('hex').slice(0, 8) };
    });
    const [signing] = this.#keys;
    if (signing === undefined) throw new RangeError('give at least one secret');
    this.#signing = signing;
    this.#maxChars = maxChars;
  }

  /** Undefined: it would be longer than anybody reads. */
  seal(claims: Readonly<Record<string, unknown>>): string | undefined {
    const { key, kid } = this.#signing;
    const body = Buffer.from(JSON.stringify({ ...claims, kid })).toString('base64url');
    const text = `${body}.${macOf(body, key)}`;
    return text.length > this.#maxChars ? undefined : text;
  }

  /** The claims, if the text is signed; undefined else. */
  open(text: string): Record<string, unknown> | undefined {
    const dot = text.indexOf('.');
    if (dot <= 0 || text.length > this.#maxChars) return undefined;
    const body = text.slice(0, dot);
    // As text: base64url has several forms of the same bytes, of which one counts.
    const mac = Buffer.from(text.slice(dot + 1));
    const isSigned = this.#keys.some(({ key }) => {
      const expected = Buffer.from(macOf(body, key));
      return mac.length === expected.length && timingSafeEqual(mac, expected);
    });
    return isSigned ? readSealed(text) : undefined;
  }
}

/** The claims without a look at the signature: for a text that is known by its hash. */
export function readSealed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text.slice(0, text.indexOf('.')), 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

const macOf = (body: string, key: Buffer): string =>
  createHmac('sha256', key).update(body).digest('base64url');
