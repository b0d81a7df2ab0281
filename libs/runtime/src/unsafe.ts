import { isLoopback } from './client-address.js';
import { bareHost } from './settings.js';

/** What is fine on a developer's machine and nowhere else. */

/** In text that stands in documents and examples, for whoever copies it to put something else. */
const placeholder =
  /for[-_ ]development[-_ ]only|change[-_ ]?me|change[-_ ]?this|example[-_ ]secret|your[-_ ]secret|^at[-_ ]least[-_ ]\d+[-_ ]characters/i;
/** The same in addresses. */
const placeholderPassword = 'PASSWORD';
/** Everybody's at a fresh RabbitMQ, which takes it from its own host alone unless it is told otherwise, as in its image. */
const guestPassword = 'guest';

/** Is `secret` one that anybody can read in an example? */
const isExampleSecret = (secret: string): boolean => placeholder.test(secret);

/** Has one of these addresses, separated by commas, a password that anybody can read in an example? */
export function hasExamplePassword(addresses: string, isPublic = isProduction()): boolean {
  return addresses.split(',').some((address) => {
    if (!URL.canParse(address.trim())) return false;
    const { password, hostname } = new URL(address.trim());
    const isHere = hostname === 'localhost' || isLoopback(bareHost(hostname));
    return (
      password === placeholderPassword ||
      isExampleSecret(password) ||
      (password === guestPassword && isPublic && !isHere)
    );
  });
}

/** What is said of a secret that is refused for that. */
export const exampleMessage =
  'it is that of an example, which anybody can read: make one with openssl rand -base64 48';

/** What is said of a secret of an example; undefined: it is none. */
export const wrongSecret = (secret: string): string | undefined =>
  isExampleSecret(secret) ? exampleMessage : undefined;

/** Whether a setting that is a secret is that of an example: a text, a list of them, or addresses. */
export function isOfExample(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isOfExample);
  // What is JSON has secrets among other things: whoever reads it looks at those.
  if (typeof value !== 'string' || value.trimStart().startsWith('{')) return false;
  return /^\w+:\/\//.test(value) ? hasExamplePassword(value) : isExampleSecret(value);
}

/** Does the environment say that this process serves the public, as the image and many platforms do? */
export const isProduction = (env: NodeJS.ProcessEnv = process.env): boolean => env.NODE_ENV === 'production';
