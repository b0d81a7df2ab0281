import { stripVTControlCharacters } from 'node:util';

/** A committed breakage: a patch, and the command that must fail with it. */
export interface Mutant {
  /** The file's name without its extension: what is broken. */
  readonly name: string;
  readonly path: string;
  /** From the line `# caught-by: COMMAND` at its top. */
  readonly caughtBy: string;
}

const header = /^# caught-by: (\S.*)$/m;

/** Reads what a patch says of itself. @throws Error when it names no command. */
export function readMutant(path: string, text: string): Mutant {
  const name = path.replace(/^.*\//, '').replace(/\.patch$/, '');
  const head = text.slice(0, Math.max(0, text.indexOf('diff --git')));
  const caughtBy = header.exec(head)?.[1]?.trim();
  if (caughtBy === undefined) {
    throw new Error(
      `${path} names no test: begin it with a line "# caught-by: COMMAND", then what git diff prints.`,
    );
  }
  return { name, path, caughtBy };
}

/** What became of a mutant; `unclear`: its command failed, but no test said so. */
export type Verdict = 'caught' | 'survived' | 'unclear' | 'does not apply' | 'does not compile' | 'not run';

/** A failed test of vitest, the last line of `npm test`, or a bench or scenario that did not hold. */
const failure = /\b[1-9]\d* failed\b|^NOT HELD/m;

/** What the command that must fail has shown. */
export function verdictOf({ status, output }: { status: number; output: string }): Verdict {
  if (status === 0) return 'survived';
  return failure.test(stripVTControlCharacters(output)) ? 'caught' : 'unclear';
}

/** The closing lines: what survived, and how many were caught. */
export function summary(verdicts: ReadonlyMap<string, Verdict>): { text: string; isFine: boolean } {
  const notCaught = [...verdicts].filter(([, verdict]) => verdict !== 'caught');
  const caught = verdicts.size - notCaught.length;
  return {
    text: `${caught} caught, ${notCaught.length} not caught`,
    isFine: caught > 0 && notCaught.length === 0,
  };
}
