import type { Chance } from './chance.js';
import { mutateTree, type Tree, textOfTree, treeOf } from './mutate-json.js';
import { oddNames, oddNumbers, oddTexts, pieces } from './words.js';

/** Makes inputs of those that there are: by what they say, where they are JSON behind a head, and by their bytes. */
export class Mutator {
  readonly #chance: Chance;
  readonly #words: readonly string[];
  readonly #maxBytes: number;

  constructor(chance: Chance, words: readonly string[], maxBytes: number) {
    this.#chance = chance;
    this.#words = [...oddNames, ...words];
    this.#maxBytes = maxBytes;
  }

  /** `other`: another input, at random. */
  next(input: Buffer, other: () => Buffer): Buffer {
    const chance = this.#chance;
    const isByMeaning = chance.percent(65);
    let next = (isByMeaning ? this.#byMeaning(input, other) : undefined) ?? input;
    if (next === input || chance.percent(15)) {
      for (let left = chance.few(6); left > 0; left -= 1) next = this.#byBytes(next, other);
    }
    return next.length > this.#maxBytes ? next.subarray(0, this.#maxBytes) : next;
  }

  #byMeaning(input: Buffer, other: () => Buffer): Buffer | undefined {
    const chance = this.#chance;
    const parts = splitAtJson(input);
    if (parts === undefined) return undefined;
    const others = (): Tree | undefined => splitAtJson(other())?.tree;
    const head = chance.percent(10) ? (splitAtJson(other())?.head ?? parts.head) : parts.head;
    const tree = mutateTree(parts.tree, chance, others, this.#words);
    return Buffer.from(head + textOfTree(tree, chance));
  }

  #byBytes(input: Buffer, other: () => Buffer): Buffer {
    const chance = this.#chance;
    const from = chance.below(input.length + 1);
    const until = Math.min(input.length, from + chance.few(10) ** 2);
    const [before, part, after] = [
      input.subarray(0, from),
      input.subarray(from, until),
      input.subarray(until),
    ];
    const joined = (...all: (Buffer | string)[]): Buffer =>
      Buffer.concat(all.map((each) => (typeof each === 'string' ? Buffer.from(each) : each)));
    switch (chance.below(9)) {
      case 0:
        return joined(before, after);
      case 1:
        return joined(before, part, part, after);
      case 2:
        return joined(before, chance.of(pieces), chance.percent(50) ? part : '', after);
      case 3:
        return joined(before, chance.of(this.#words), after);
      case 4:
        return joined(before, chance.of(chance.percent(50) ? oddTexts : oddNumbers), after);
      case 5:
        return joined(before, Buffer.from([chance.below(256)]), part.subarray(1), after);
      case 6: {
        const donor = other();
        const at = chance.below(donor.length + 1);
        return joined(before, donor.subarray(at), chance.percent(30) ? after : '');
      }
      case 7:
        return joined(before, repeated(part, chance), after);
      default:
        return withOtherNumber(input, chance);
    }
  }
}

/** Text before the first brace or bracket, and what the JSON behind it says. */
function splitAtJson(input: Buffer): { head: string; tree: Tree } | undefined {
  const text = input.toString('utf8');
  const at = text.search(/[[{]/);
  const tree = at < 0 ? undefined : treeOf(text.slice(at));
  return tree === undefined ? undefined : { head: text.slice(0, at), tree };
}

function repeated(part: Buffer, chance: Chance): Buffer {
  const count = chance.of([2, 3, 17, 65, 256, 1_025]);
  return Buffer.concat(
    Array.from({ length: Math.min(count, Math.ceil(8_192 / (part.length || 1))) }, () => part),
  );
}

function withOtherNumber(input: Buffer, chance: Chance): Buffer {
  const text = input.toString('latin1');
  const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?/g)];
  if (numbers.length === 0) return input;
  const { index, 0: number } = chance.of(numbers);
  const other = chance.percent(50) ? chance.of(oddNumbers) : String(Number(number) + chance.of([-1, 1, 255]));
  return Buffer.from(text.slice(0, index) + other + text.slice(index + number.length), 'latin1');
}
