import {
  isInlineNamespaces,
  type Namespaces,
  NamespacesError,
  noNamespaces,
  readNamespaces,
} from './namespaces.js';

/** A file of rules has hundreds of lines, not more: bytes. */
const maxBytes = 1_048_576;

/** Reads a file of at most so many bytes. @throws Error that says what is wrong. */
type ReadText = (path: string, maxBytes: number) => string;

/**
 * The rules that `EVENKEEL_NAMESPACES` gives: JSON, or the path of a file with it; unset: none.
 * @throws NamespacesError
 */
export function namespacesOf(setting: string | undefined, read: ReadText): Namespaces {
  if (setting === undefined) return noNamespaces;
  return readNamespaces(isInlineNamespaces(setting) ? setting : textOf(setting, read));
}

/**
 * As a refinement of settings: one line says what is wrong, before anything starts.
 * @param wrongSecret why the secret of the hook cannot be used, outside of development mode; undefined: it can.
 */
export const refineNamespaces =
  (read: ReadText, wrongSecret: (secret: string) => string | undefined = () => undefined) =>
  (
    { namespaces, auth }: { readonly namespaces?: string | undefined; readonly auth?: string | undefined },
    context: { addIssue(issue: { code: 'custom'; path: PropertyKey[]; message: string }): void },
  ): void => {
    try {
      const { hook } = namespacesOf(namespaces, read);
      const wrong = auth === 'dev' || hook === undefined ? undefined : wrongSecret(hook.secret);
      if (wrong !== undefined) throw new NamespacesError(`\`hook.secret\`: ${wrong}`);
    } catch (error) {
      if (!(error instanceof NamespacesError)) throw error;
      context.addIssue({ code: 'custom', path: ['namespaces'], message: error.message });
    }
  };

function textOf(path: string, read: ReadText): string {
  try {
    return read(path, maxBytes);
  } catch (error) {
    throw new NamespacesError(error instanceof Error ? error.message : String(error));
  }
}
