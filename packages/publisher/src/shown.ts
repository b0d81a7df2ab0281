import { inspect } from 'node:util';

/** With its stack; what is thrown may be anything. */
export function shown(error: unknown): string {
  try {
    return inspect(error);
  } catch {
    return 'an error that cannot be shown';
  }
}
