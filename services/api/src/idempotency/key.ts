import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Refusal } from '@evenkeel/runtime';

/** Longest `Idempotency-Key`, characters. */
const maxKeyChars = 255;

/** What a request says of being a repeat; undefined: nothing. @throws Refusal `bad-idempotency-key` */
export function idempotencyKeyOf({ headers }: IncomingMessage): string | undefined {
  const { 'idempotency-key': key } = headers;
  if (key === undefined) return undefined;
  if (typeof key === 'string' && key.length <= maxKeyChars && /^[\x21-\x7e]+$/.test(key)) return key;
  throw new Refusal(
    400,
    'bad-idempotency-key',
    `give an Idempotency-Key of 1 to ${maxKeyChars} visible ASCII characters`,
  );
}

/** The same for the same request. */
export function fingerprintOf(path: string, bytes: Buffer): string {
  return createHash('sha256').update(`${path}\n`).update(bytes).digest('base64url');
}

/**
 * Identities for what has none: with an idempotency key the same for the same request, so that a repeat reaches no application twice
 * even where the first was answered by another process.
 */
export function identities(
  origin: { readonly holder: string; readonly key: string; readonly fingerprint: string } | undefined,
): () => string {
  if (origin === undefined) return randomUUID;
  let made = 0;
  return () => {
    made += 1;
    const { holder, key, fingerprint } = origin;
    const hash = createHash('sha256').update([holder, key, fingerprint, made].join('\n')).digest();
    return uuidOf(hash);
  };
}

/** A UUID of version 8 (RFC 9562), which leaves its bits to us. */
function uuidOf(hash: Buffer): string {
  const bytes = Uint8Array.from(hash.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
