import { readFileSync, statSync } from 'node:fs';
import {
  isInlineNamespaces,
  type Namespaces,
  NamespacesError,
  noNamespaces,
  readNamespaces,
} from './namespaces.js';

/** A file of rules has hundreds of lines, not more. */
const maxBytes = 1_048_576;

/**
 * The rules that `EVENKEEL_NAMESPACES` gives: JSON, or the path of a file with it; unset: none.
 * @throws NamespacesError
 */
export function namespacesOf(setting: string | undefined): Namespaces {
  if (setting === undefined) return noNamespaces;
  return readNamespaces(isInlineNamespaces(setting) ? setting : textOf(setting));
}

/** As a refinement of settings: one line says what is wrong, before anything starts. */
export function refineNamespaces(
  { namespaces }: { readonly namespaces?: string | undefined },
  context: { addIssue(issue: { code: 'custom'; path: PropertyKey[]; message: string }): void },
): void {
  try {
    namespacesOf(namespaces);
  } catch (error) {
    if (!(error instanceof NamespacesError)) throw error;
    context.addIssue({ code: 'custom', path: ['namespaces'], message: error.message });
  }
}

function textOf(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > maxBytes) throw new NamespacesError(`it takes a file of at most ${maxBytes} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof NamespacesError) throw error;
    throw new NamespacesError(`cannot read the file: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}
