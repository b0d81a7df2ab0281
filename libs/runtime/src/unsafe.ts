import type { z } from 'zod';

/** What is fine on a developer's machine and nowhere else. */

/** In text that stands in documents and examples, for whoever copies it to put something else. */
const placeholder =
  /for[-_ ]development[-_ ]only|change[-_ ]?me|change[-_ ]?this|example[-_ ]secret|your[-_ ]secret/i;

/** Is `secret` one that anybody can read in an example? */
export const isExampleSecret = (secret: string): boolean => placeholder.test(secret);

/** Settings that hold secrets which others share. */
interface WithSecrets {
  readonly auth?: string | undefined;
  readonly secret: readonly string[];
  readonly jwtSecret?: string | undefined;
}

/** Refuses secrets of examples outside development mode. */
export function refineSecrets({ auth, secret, jwtSecret }: WithSecrets, context: z.RefinementCtx): void {
  if (auth === 'dev') return;
  const message = 'it is that of an example, which anybody can read: make one with openssl rand -base64 48';
  const refuse = (path: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (secret.some(isExampleSecret)) refuse('secret');
  if (jwtSecret !== undefined && isExampleSecret(jwtSecret)) refuse('jwtSecret');
}

/** Does the environment say that this process serves the public, as the image and many platforms do? */
export const isProduction = (env: NodeJS.ProcessEnv = process.env): boolean => env.NODE_ENV === 'production';
