import { type Action, type Grants, grantsKey } from './grants.js';
import type { Namespaces, Rule } from './namespaces.js';
import { coversWords, isPattern, matchesWords } from './patterns.js';

/** `service`, `hook`: whoever is asked decides. */
export type Decision = 'allow' | 'forbid' | 'service' | 'hook';

/** As decided for everybody with these grants: of the user it depends in `owner` alone. */
type Outcome = Decision | 'owner';

/** Most distinct sets of grants whose decisions are kept; the one that has been there longest goes. */
export const maxGrantSets = 1_000;
/** Most decisions kept for one set of grants and one action, … */
export const maxDecisionsOfSet = 1_000;
/** … and for all together. Where there are more, they are forgotten and made again: that costs time, and changes none. */
export const maxDecisions = 100_000;

/** Whose actions are decided on. */
export interface Holder {
  readonly uid: string;
  /**
   * May this user do this? Under 1 µs, whatever the grants. A `name` with wildcards stands for all that it matches: who may not do
   * it to each of these may not do it.
   */
  decide(action: Action, name: string): Decision;
}

/**
 * Who may do what. Rule and grants must both allow: `nobody` never does, `claim` needs a pattern that matches, and the others
 * are narrowed by grants that list the action. What was decided is kept for each distinct set of grants.
 */
export class Decider {
  readonly #sets = new Map<string, GrantSet>();
  #namespaces: Namespaces;
  #kept = 0;

  constructor(namespaces: Namespaces) {
    this.#namespaces = namespaces;
  }

  get namespaces(): Namespaces {
    return this.#namespaces;
  }

  /** Decides by these from now on, also for those that hold grants already. */
  replace(namespaces: Namespaces): void {
    this.#namespaces = namespaces;
    this.#forgetDecisions();
  }

  /** @param byDefault the rule where the namespaces have none */
  holder(uid: string, grants: Grants | undefined, byDefault: Rule): Holder {
    const set = this.#setOf(grants, byDefault);
    return {
      uid,
      decide: (action, name) => {
        const outcome = set.outcome(action, name);
        return outcome === 'owner' ? ownerDecision(uid, name) : outcome;
      },
    };
  }

  /** How much is kept, for metrics. */
  get size(): { sets: number; decisions: number } {
    return { sets: this.#sets.size, decisions: this.#kept };
  }

  #setOf(grants: Grants | undefined, byDefault: Rule): GrantSet {
    const key = `${byDefault} ${grantsKey(grants)}`;
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    const set: GrantSet = new GrantSet(grants, {
      rulesOf: (action, name) => this.#namespaces.rulesOf(action, name, byDefault),
      mayKeep: () => {
        // One that had to make room decides each time anew.
        if (this.#sets.get(key) !== set) return false;
        if (this.#kept >= maxDecisions) this.#forgetDecisions();
        this.#kept += 1;
        return true;
      },
      forgot: (count) => {
        this.#kept -= count;
      },
    });
    const [oldest] = this.#sets;
    if (oldest !== undefined && this.#sets.size >= maxGrantSets) {
      this.#sets.delete(oldest[0]);
      oldest[1].forget();
    }
    this.#sets.set(key, set);
    return set;
  }

  #forgetDecisions(): void {
    for (const set of this.#sets.values()) set.forget();
  }
}

interface SetOptions {
  /** Of all namespaces that the name may be of. */
  rulesOf(action: Action, name: string): readonly [Rule, ...Rule[]];
  mayKeep(): boolean;
  forgot(count: number): void;
}

/** One distinct set of grants, and what was decided by it. */
class GrantSet {
  readonly #patterns: { readonly [A in Action]: readonly (readonly string[])[] | undefined };
  readonly #options: SetOptions;
  readonly #outcomes = {
    subscribe: new Map<string, Outcome>(),
    publish: new Map<string, Outcome>(),
    request: new Map<string, Outcome>(),
  };

  constructor(grants: Grants | undefined, options: SetOptions) {
    this.#options = options;
    const words = (action: Action) => grants?.[action]?.map((pattern) => pattern.split('.'));
    this.#patterns = { subscribe: words('subscribe'), publish: words('publish'), request: words('request') };
  }

  outcome(action: Action, name: string): Outcome {
    const known = this.#outcomes[action].get(name);
    if (known !== undefined) return known;
    const outcome = this.#decide(action, name);
    if (this.#outcomes[action].size >= maxDecisionsOfSet) this.#forget(action);
    if (this.#options.mayKeep()) this.#outcomes[action].set(name, outcome);
    return outcome;
  }

  forget(): void {
    for (const action of ['subscribe', 'publish', 'request'] as const) this.#forget(action);
  }

  #forget(action: Action): void {
    this.#options.forgot(this.#outcomes[action].size);
    this.#outcomes[action].clear();
  }

  #decide(action: Action, name: string): Outcome {
    const [rule, ...others] = this.#options.rulesOf(action, name);
    // Across namespaces nobody can be asked, and nobody is the owner.
    if (others.length > 0 && ![rule, ...others].every((each) => each === 'anyone' || each === 'claim'))
      return 'forbid';
    if (rule === 'nobody') return 'forbid';
    const patterns = this.#patterns[action];
    const isNarrowed = rule === 'claim' || others.includes('claim') || patterns !== undefined;
    if (isNarrowed && !isGranted(patterns, name)) return 'forbid';
    return rule === 'anyone' || rule === 'claim' ? 'allow' : rule;
  }
}

function isGranted(patterns: readonly (readonly string[])[] | undefined, name: string): boolean {
  if (patterns === undefined || patterns.length === 0) return false;
  const words = name.split('.');
  const grants = isPattern(name) ? coversWords : matchesWords;
  return patterns.some((pattern) => grants(pattern, words));
}

/** The second word is the user's id, as carried. */
function ownerDecision(uid: string, name: string): Decision {
  const start = name.indexOf('.') + 1;
  if (start === 0) return 'forbid';
  const end = name.indexOf('.', start);
  return name.slice(start, end < 0 ? undefined : end) === uid ? 'allow' : 'forbid';
}
