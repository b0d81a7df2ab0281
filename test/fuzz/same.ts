/** Whether two values that JSON can have say the same: -0 is written as 0. Without recursion: they may be as deep as a text is long. */
export function isSame(one: unknown, other: unknown): boolean {
  const left: [unknown, unknown][] = [[one, other]];
  for (let pair = left.pop(); pair !== undefined; pair = left.pop()) {
    const [a, b] = pair;
    if (a === b || Object.is(a, b)) continue;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    const names = definedIn(a);
    if (names.length !== definedIn(b).length) return false;
    for (const name of names) {
      if (!Object.hasOwn(b, name)) return false;
      left.push([memberOf(a, name), memberOf(b, name)]);
    }
  }
  return true;
}

/** What is undefined is as if it were not there. */
const definedIn = (value: object): string[] =>
  Object.keys(value).filter((name) => memberOf(value, name) !== undefined);

const memberOf = (value: object, name: string): unknown =>
  Object.getOwnPropertyDescriptor(value, name)?.value;

/** How many arrays and objects are in each other. */
export function depthOf(value: unknown): number {
  let deepest = 0;
  const left: [unknown, number][] = [[value, 0]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [part, depth] = next;
    if (typeof part !== 'object' || part === null) continue;
    deepest = Math.max(deepest, depth + 1);
    for (const each of Object.values(part)) left.push([each, depth + 1]);
  }
  return deepest;
}

/** What a text says; undefined: it is no JSON. */
export function jsonOf(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}
