import { namespaceOf } from '@evenkeel/protocol';
import { z } from 'zod';
import { type Action, actions } from './grants.js';
import { isPattern } from './patterns.js';

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

/** What a history keeps of each topic where its entry does not say, and at most. */
export const historyLimits = {
  size: { byDefault: 1_000, most: 1_000_000 },
  seconds: { byDefault: 3_600, most: 2_678_400 },
} as const;

const upTo = ({ most }: { most: number }) => z.number().int().min(1).max(most).optional();
const rule = z.enum(rules).optional();
const namespace = z.strictObject({
  subscribe: rule,
  publish: rule,
  request: rule,
  history: z
    .strictObject({
      size: upTo(historyLimits.size).meta({ description: 'Messages of a topic that can be read again.' }),
      seconds: upTo(historyLimits.seconds).meta({ description: 'For how long they can.' }),
      latest: z
        .union([z.literal(true), z.literal('key')])
        .optional()
        .meta({
          description:
            'Who subscribes gets the last message of the topic first; with `key`: the last one of each key ' +
            '(header `evenkeel-key`).',
        }),
    })
    .optional()
    .meta({ description: 'Messages of topics are kept, so that clients can read what they have missed.' }),
  presence: z
    .union([z.boolean(), z.literal('claim')])
    .optional()
    .meta({
      description:
        'Clients may ask, and be told, who is there. With `claim` what is told of each is from its token ' +
        '(`evenkeel.info`) alone, and not from `info` of hello.',
    }),
  relay: z
    .boolean()
    .optional()
    .meta({ description: "What clients publish goes to the topic's subscribers, and to no service." }),
});

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
      if (name === anyNamespace && entry.history !== undefined) {
        const message = 'is kept by namespace; give each its own entry';
        context.addIssue({ code: 'custom', path: ['namespaces', name, 'history'], message });
      }
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

/** What is kept of the messages of each topic of a namespace. */
export interface History {
  /** Messages that can be read again. */
  readonly size: number;
  /** For how long. */
  readonly seconds: number;
  /** Who subscribes gets the last message first; `key`: of each key. */
  readonly latest: boolean | 'key';
}

/** Who may do what, by namespace, and what its topics have. */
export class Namespaces {
  readonly hook: Hook | undefined;
  /** By namespace: those that keep messages. */
  readonly histories: ReadonlyMap<string, History>;
  readonly #entries: ReadonlyMap<string, z.infer<typeof namespace>>;

  constructor({ namespaces, hook }: z.infer<typeof namespacesSchema>) {
    this.hook = hook;
    this.#entries = new Map(Object.entries(namespaces));
    const histories = [...this.#entries].flatMap(([name, { history }]) =>
      history ? [[name, historyOf(history)] as const] : [],
    );
    this.histories = new Map(histories);
  }

  /** The rule for `name`; `byDefault` where the file has none. */
  ruleOf(action: Action, name: string, byDefault: Rule): Rule {
    return this.#of(action, name) ?? byDefault;
  }

  /** The rules of all namespaces that `name` may be of: several where its first word is a wildcard. */
  rulesOf(action: Action, name: string, byDefault: Rule): readonly [Rule, ...Rule[]] {
    const first = namespaceOf(name);
    if (!isPattern(first)) return [this.ruleOf(action, name, byDefault)];
    const others = [...this.#entries.keys()].map((each) => this.ruleOf(action, each, byDefault));
    // Of those that are not listed: no word is empty.
    return [this.ruleOf(action, '', byDefault), ...others];
  }

  /** What is kept of this topic; undefined: nothing. */
  historyOf(topic: string): History | undefined {
    return this.histories.get(namespaceOf(topic));
  }

  /** Whether clients may know who has subscribed to this topic. */
  hasPresence(topic: string): boolean {
    return this.presenceOf(topic) !== false;
  }

  /** The same; `claim`: what is told of each comes from its token alone. */
  presenceOf(topic: string): boolean | 'claim' {
    return this.#of('presence', topic) ?? false;
  }

  /** Whether what clients publish to this topic goes to its subscribers. */
  isRelay(topic: string): boolean {
    return this.#of('relay', topic) ?? false;
  }

  /** As the entry of the first word says, else that of `*`. */
  #of<Field extends Action | 'presence' | 'relay'>(field: Field, name: string) {
    return this.#entries.get(namespaceOf(name))?.[field] ?? this.#entries.get(anyNamespace)?.[field];
  }

  /** Does any namespace ask a service, or the hook? */
  asks(whom: 'service' | 'hook'): boolean {
    return [...this.#entries.values()].some((entry) => actions.some((action) => entry[action] === whom));
  }
}

function historyOf({
  size = historyLimits.size.byDefault,
  seconds = historyLimits.seconds.byDefault,
  latest,
}: NonNullable<z.infer<typeof namespace>['history']>): History {
  return { size, seconds, latest: latest ?? false };
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
