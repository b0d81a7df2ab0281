import { createHash } from 'node:crypto';
import { infoText, isTopicPattern, maxTopicBytes } from '@evenkeel/protocol/wire';
import { z } from 'zod';

/** What a client can do to a topic or a method. */
export const actions = ['subscribe', 'publish', 'request'] as const;
export type Action = (typeof actions)[number];

/** Most patterns in the grants of one token, of all actions together. */
export const maxPatterns = 64;
/** The claim of a token that grants are read from. */
export const grantsClaim = 'evenkeel';

/** Patterns by action. An action that is not listed is not narrowed; one with no patterns is refused altogether. */
export type Grants = { readonly [A in Action]?: readonly string[] | undefined } & {
  /** What others are told of the user: any JSON, at most 1 KiB as text. It grants nothing. */
  readonly info?: unknown;
};

/** Allows nothing. */
export const noGrants: Grants = { subscribe: [], publish: [], request: [] };

/** Thrown for grants that cannot be used; the message says which and what to do. */
export class GrantsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'GrantsError';
  }
}

const pattern = z.string().refine(isTopicPattern, {
  error: `is no pattern: words of [A-Za-z0-9_~-], * or # joined by dots, at most ${maxTopicBytes} bytes`,
});
const patterns = z.array(pattern).max(maxPatterns, `has more than ${maxPatterns} patterns`).optional();
const info = z
  .unknown()
  .refine(
    (value) => value === undefined || infoText(value) !== undefined,
    'has more than 1,024 bytes as JSON text',
  )
  .optional();
const grantsSchema = z.strictObject({ subscribe: patterns, publish: patterns, request: patterns, info });

/**
 * The grants in `claim`, the claim `evenkeel` of a token; undefined where there is none.
 * @throws GrantsError
 */
export function readGrants(claim: unknown): Grants | undefined {
  if (claim === undefined) return undefined;
  const { success, data, error } = grantsSchema.safeParse(claim);
  if (!success) {
    const [issue] = error.issues;
    const where = [grantsClaim, ...(issue?.path ?? [])].join('.');
    throw new GrantsError(
      `the claim \`${where}\` cannot be used: ${issue?.message ?? 'it is not understood'}`,
    );
  }
  const count = actions.reduce((sum, action) => sum + (data[action]?.length ?? 0), 0);
  if (count > maxPatterns) {
    throw new GrantsError(
      `the claim \`${grantsClaim}\` has ${count} patterns; give at most ${maxPatterns}, with wildcards`,
    );
  }
  const { info: said } = data;
  return {
    ...Object.fromEntries(actions.flatMap((action) => (data[action] ? [[action, data[action]]] : []))),
    ...(said === undefined ? {} : { info: said }),
  };
}

/** The same for equal grants, and for no others. */
export function grantsKey(grants: Grants | undefined): string {
  if (grants === undefined) return '';
  const ordered = actions.map((action) => grants[action] ?? null);
  return createHash('sha256').update(JSON.stringify(ordered)).digest('base64url');
}
