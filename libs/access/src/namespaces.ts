import { z } from 'zod';
import { type Action, actions } from './grants.js';

/**
 * Who may do something in a namespace. `anyone`: any authenticated user. `owner`: whose id, as carried, is the second word.
 * `claim`: whose token says so. `service`: an application's service is asked over AMQP. `hook`: an HTTPS endpoint is asked.
 */
export const rules = ['nobody', 'anyone', 'owner', 'claim', 'service', 'hook'] as const;
export type Rule = (typeof rules)[number];

/** Most namespaces in a file. */
export const maxNamespaces = 1_000;
/** Stands for every namespace that is not listed. */
export const anyNamespace = '*';

const rule = z.enum(rules).optional();
const namespace = z.strictObject({ subscribe: rule, publish: rule, request: rule });

/** https, or http to this machine alone: what is asked and answered decides who may do what. */
export function isHookUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  const isLoopback = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}

/** What {@link isHookUrl} asks for, for a message. */
export const hookUrlForm = 'give an https:// URL (http:// to this machine alone), without a user name in it';

/** The file of namespaces. */
export const namespacesSchema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: 'Where this schema is; for editors.' }),
    namespaces: z
      .record(
        z.string().regex(/^(?:\*|[A-Za-z0-9_~-]{1,200})$/, 'is no word of [A-Za-z0-9_~-], nor *'),
        namespace,
      )
      .meta({
        description:
          'By the first word of a topic or method: who may do what. * stands for those that are not listed. An action ' +
          'that an entry leaves out is that of *; where * leaves it out too it is `claim`, in development mode `anyone`.',
      }),
    hook: z
      .strictObject({
        url: z.string().refine(isHookUrl, hookUrlForm).meta({ description: 'Asked by the rule `hook`.' }),
        secret: z.string().min(16).meta({ description: 'Signs the questions, at least 16 characters.' }),
      })
      .optional(),
  })
  .superRefine(({ namespaces, hook }, context) => {
    const names = Object.keys(namespaces);
    if (names.length > maxNamespaces) {
      const message = `${names.length} namespaces; give at most ${maxNamespaces}`;
      context.addIssue({ code: 'custom', path: ['namespaces'], message });
    }
    for (const [name, entry] of Object.entries(namespaces)) {
      for (const action of actions) {
        if (entry[action] !== 'hook' || hook !== undefined) continue;
        const message = 'asks the hook; give `hook` with `url` and `secret`';
        context.addIssue({ code: 'custom', path: ['namespaces', name, action], message });
      }
    }
  });

/** Thrown for a file of namespaces that cannot be used; the message says where and what it takes. */
export class NamespacesError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NamespacesError';
  }
}

/** Whom to ask over HTTPS, and what signs the question. */
export interface Hook {
  readonly url: string;
  readonly secret: string;
}

/** Who may do what, by namespace. */
export class Namespaces {
  readonly hook: Hook | undefined;
  readonly #entries: ReadonlyMap<string, { readonly [A in Action]?: Rule | undefined }>;

  constructor({ namespaces, hook }: z.infer<typeof namespacesSchema>) {
    this.hook = hook;
    this.#entries = new Map(Object.entries(namespaces));
  }

  /** The rule for `name`; `byDefault` where the file has none. */
  ruleOf(action: Action, name: string, byDefault: Rule): Rule {
    const dot = name.indexOf('.');
    const own = this.#entries.get(dot < 0 ? name : name.slice(0, dot));
    return own?.[action] ?? this.#entries.get(anyNamespace)?.[action] ?? byDefault;
  }

  /** Does any namespace ask a service, or the hook? */
  asks(whom: 'service' | 'hook'): boolean {
    return [...this.#entries.values()].some((entry) => actions.some((action) => entry[action] === whom));
  }
}

/** Those of nobody's file: everything is as the default says. */
export const noNamespaces = new Namespaces({ namespaces: {} });

/** Is the value of `EVENKEEL_NAMESPACES` the rules themselves, and not the path of their file? */
export const isInlineNamespaces = (value: string): boolean => value.trimStart().startsWith('{');

/**
 * Reads the text of a file of namespaces.
 * @throws NamespacesError
 */
export function readNamespaces(text: string): Namespaces {
  let value: unknown;
  try {
    value = JSON.parse(text, (key, part: unknown) => {
      // A name that a copy of an object would lose without a word, and its rules with it.
      if (key === '__proto__')
        throw new NamespacesError('`__proto__` cannot be a namespace; its rule is that of *');
      return part;
    });
  } catch (error) {
    if (error instanceof NamespacesError) throw error;
    // Not what the engine says: that quotes the text, which may hold the hook's secret.
    const [where = ''] = /at position \d+( \(line \d+ column \d+\))?$/.exec(String(error)) ?? [];
    throw new NamespacesError(`is not JSON${where && ` (${where})`}; a JSON editor shows where`);
  }
  const { success, data, error } = namespacesSchema.safeParse(value);
  if (success) return new Namespaces(data);
  const [issue] = error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new NamespacesError(
    `${where === '' ? 'the file' : `\`${where}\``}: ${issue?.message ?? 'not understood'}`,
  );
}
