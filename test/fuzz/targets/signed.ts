import { createHmac } from 'node:crypto';

/** Of the mesh that is fuzzed. */
export const secret = 'a secret of sixteen bytes or more';

/** Signs what a stranger could not: so that what is behind the signature is read. */
export const signedBody = (text: string, key: string | Buffer): string =>
  createHmac('sha256', key).update(text).digest('base64url');

/** Keys of passes and the like are derived from the secret and what they are for. */
export const keyFor = (purpose: string): Buffer => createHmac('sha256', secret).update(purpose).digest();

/** `<kind>:<rest>`; undefined: it begins otherwise. */
export function splitKind(input: Buffer): { readonly kind: string; readonly rest: string } | undefined {
  const text = input.toString('utf8');
  const [, kind, rest] = /^([a-z]{1,12}):(.*)$/s.exec(text) ?? [];
  return kind === undefined || rest === undefined ? undefined : { kind, rest };
}
