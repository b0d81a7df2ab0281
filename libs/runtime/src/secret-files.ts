import { readFileSync, statSync } from 'node:fs';

/** A secret is a line or two; a file above this is not one. */
const maxBytes = 65_536;

/** `EVENKEEL_SECRET` → `EVENKEEL_SECRET_FILE`, which names a file that holds the secret. */
export function fileVariableOf(variable: string): string {
  return `${variable}_FILE`;
}

/** What a variable says, or why its file cannot tell. */
export interface VariableText {
  readonly text: string | undefined;
  readonly fault?: string;
}

/**
 * The text of a secret: that of the variable, or what is in the file that `<VARIABLE>_FILE` names, without the ends of
 * lines at its end. An empty variable counts as unset; both at once is a fault.
 */
export function secretText(variable: string, env: NodeJS.ProcessEnv): VariableText {
  const text = env[variable];
  const file = env[fileVariableOf(variable)];
  if (file === undefined || file === '') return { text };
  if (text !== undefined && text !== '') {
    return { text: undefined, fault: `${variable} is set too; unset one of the two` };
  }
  try {
    const { size } = statSync(file);
    if (size > maxBytes) return { text: undefined, fault: `it takes a file of at most ${maxBytes} bytes` };
    const content = readFileSync(file, 'utf8').replace(/[\r\n]+$/, '');
    return content === '' ? { text: undefined, fault: 'that file is empty' } : { text: content };
  } catch (error) {
    return { text: undefined, fault: `cannot read it: ${(error as NodeJS.ErrnoException).code ?? error}` };
  }
}
