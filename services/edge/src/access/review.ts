import type { Directory, Listed } from '../session/directory.js';

/** Sessions looked at in one turn of the event loop. */
const atOnce = 500;

/** After a change of the rules: takes away what sessions may not have any more, a few at a time. */
export async function reviewAll(
  directory: Pick<Directory<Listed & { review(): void }>, 'tracked'>,
): Promise<void> {
  let looked = 0;
  for (const session of [...directory.tracked()]) {
    session.review();
    looked += 1;
    if (looked % atOnce === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}
