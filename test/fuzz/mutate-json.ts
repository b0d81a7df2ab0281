import type { Chance } from './chance.js';
import { oddNames, oddNumbers, oddTexts } from './words.js';

/** A number as it is to be written: JSON has more of them than JavaScript. */
class Written {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

interface Place {
  readonly in: unknown[] | Map<string, unknown>;
  readonly at: number | string;
}

/** An object is a map here: a name may be `__proto__`. */
export type Tree = unknown;

/** What a text says as a tree; undefined: it is no JSON. */
export function treeOf(text: string): Tree | undefined {
  try {
    return JSON.parse(text, (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map)
        ? new Map(Object.entries(value))
        : value,
    );
  } catch {
    return undefined;
  }
}

/** Changes a place or a few of a tree, in place. `others`: trees to take parts of; `names`: for members. */
export function mutateTree(
  tree: Tree,
  chance: Chance,
  others: () => Tree | undefined,
  names: readonly string[],
): Tree {
  const root: unknown[] = [tree];
  for (let left = chance.few(4); left > 0; left -= 1) {
    const places = placesOf(root);
    if (places.length === 0) break;
    changeAt(chance.of(places), chance, others, names);
  }
  return root[0] ?? null;
}

const maxPlaces = 2_000;

/** Where something is in it, without recursion: a tree may be deep. */
function placesOf(root: unknown[]): Place[] {
  const places: Place[] = [];
  const open: (unknown[] | Map<string, unknown>)[] = [root];
  for (let inside = open.pop(); inside !== undefined && places.length < maxPlaces; inside = open.pop()) {
    for (const [at, value] of inside.entries()) {
      places.push({ in: inside, at });
      if (Array.isArray(value) || value instanceof Map) open.push(value);
    }
  }
  return places;
}

function changeAt(
  place: Place,
  chance: Chance,
  others: () => Tree | undefined,
  names: readonly string[],
): void {
  const value = valueAt(place);
  switch (chance.below(10)) {
    case 0:
      return put(place, oddValue(chance, names));
    case 1:
      return remove(place);
    case 2:
      return rename(place, chance.of(chance.percent(50) ? oddNames : names));
    case 3:
      return put(place, chance.percent(50) ? [value] : new Map([[chance.of(names), value]]));
    case 4:
      return put(place, partOf(others(), chance) ?? oddValue(chance, names));
    case 5:
      return add(place, value, chance, names);
    case 6:
      return put(place, deep(value, chance));
    case 7:
      return put(place, new Written(chance.of(oddNumbers)));
    case 8:
      return put(place, changedText(value, chance));
    default:
      return add(place, partOf(others(), chance) ?? oddValue(chance, names), chance, names);
  }
}

const valueAt = ({ in: inside, at }: Place): unknown =>
  inside instanceof Map ? inside.get(String(at)) : inside[Number(at)];

function put({ in: inside, at }: Place, value: unknown): void {
  if (inside instanceof Map) inside.set(String(at), value);
  else inside[Number(at)] = value;
}

function remove({ in: inside, at }: Place): void {
  if (inside instanceof Map) inside.delete(String(at));
  else inside.splice(Number(at), 1);
}

function rename(place: Place, name: string): void {
  const { in: inside } = place;
  if (!(inside instanceof Map)) return put(place, name);
  const value = valueAt(place);
  remove(place);
  inside.set(name, value);
}

function add({ in: inside }: Place, value: unknown, chance: Chance, names: readonly string[]): void {
  if (inside instanceof Map) inside.set(chance.of(chance.percent(30) ? oddNames : names), value);
  else for (let left = chance.few(6); left > 0; left -= 1) inside.push(value);
}

function partOf(tree: Tree | undefined, chance: Chance): unknown {
  if (tree === undefined) return undefined;
  const places = placesOf([tree]);
  return places.length === 0 ? undefined : valueAt(chance.of(places));
}

function deep(value: unknown, chance: Chance): unknown {
  let inner = value;
  for (let left = chance.of([1, 2, 20, 520, 3_000]); left > 0; left -= 1)
    inner = chance.percent(50) ? [inner] : new Map([['a', inner]]);
  return inner;
}

function changedText(value: unknown, chance: Chance): unknown {
  if (typeof value !== 'string') return String(value instanceof Map ? 'map' : value);
  const at = chance.below(value.length + 1);
  switch (chance.below(4)) {
    case 0:
      return value.slice(0, at) + chance.of(oddTexts) + value.slice(at);
    case 1:
      return value.slice(0, at);
    case 2:
      return value.repeat(chance.of([2, 3, 40, 300])).slice(0, 4_096);
    default:
      return chance.percent(50) ? value.toUpperCase() : Number(value) || value.length;
  }
}

function oddValue(chance: Chance, names: readonly string[]): unknown {
  switch (chance.below(8)) {
    case 0:
      return null;
    case 1:
      return chance.percent(50);
    case 2:
      return [];
    case 3:
      return new Map([[chance.of(oddNames), chance.of(oddTexts)]]);
    case 4:
      return chance.of(oddTexts);
    case 5:
      return chance.of(names);
    case 6:
      return chance
        .of(names)
        .repeat(chance.of([1, 30, 130, 300]))
        .slice(0, 4_096);
    default:
      return new Written(chance.of(oddNumbers));
  }
}

/** What is longer is cut, characters. */
const longest = 131_072;

/** A tree as JSON, mostly as it is always written: now and then with space between, escapes, or a name twice. */
export function textOfTree(tree: Tree, chance: Chance): string {
  const isPlain = chance.percent(80);
  const space = () => (isPlain || chance.percent(70) ? '' : chance.of([' ', '\n', '\t', '\r\n  ']));
  const text = (value: string): string => {
    const json = JSON.stringify(value);
    if (isPlain || value === '' || chance.percent(80)) return json;
    const at = chance.below(value.length);
    const code = value.charCodeAt(at).toString(16).padStart(4, '0');
    const [before, after] = [value.slice(0, at), value.slice(at + 1)].map((part) =>
      JSON.stringify(part).slice(1, -1),
    );
    return `"${before}\\u${code}${after}"`;
  };
  let written = '';
  // Without recursion: what is still to be written, the next last.
  const left: unknown[] = [{ value: tree }];
  const isValue = (next: unknown): next is { value: unknown } => typeof next === 'object' && next !== null;
  for (let next = left.pop(); next !== undefined && written.length < longest; next = left.pop()) {
    if (!isValue(next)) {
      written += next;
      continue;
    }
    const { value } = next;
    if (value instanceof Written) written += value.text;
    else if (typeof value === 'string') written += text(value);
    else if (Array.isArray(value) || value instanceof Map) {
      const isMap = value instanceof Map;
      const members: [unknown, unknown][] = isMap ? [...value] : value.map((each) => ['', each]);
      if (!isPlain && isMap && members[0] !== undefined && chance.percent(10)) members.push(members[0]);
      left.push(`${space()}${isMap ? '}' : ']'}`);
      for (const [n, [name, each]] of [...members.entries()].reverse()) {
        left.push({ value: each });
        if (isMap) left.push(`${text(String(name))}${space()}:${space()}`);
        if (n > 0) left.push(`,${space()}`);
      }
      written += `${isMap ? '{' : '['}${space()}`;
    } else written += JSON.stringify(value) ?? 'null';
  }
  return written;
}
