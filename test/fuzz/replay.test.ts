import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@evenkeel/local';
import { describe, expect, it } from 'vitest';
import { corpusOf } from './corpus.js';
import { fuzz } from './fuzz.js';
import { targets } from './targets.js';

/** Beside the corpus: what is made of it takes a second or two a target. `npm run fuzz` goes on for as long as one likes. */
const inputs = 2_000;

describe.each(targets)('$name', (target) => {
  const corpus = corpusOf(target.name);

  it.each(corpus)('holds for $name', async ({ name, input }) => {
    expect(input.length, `${name} is longer than an input may be`).toBeLessThanOrEqual(target.maxBytes);
    await target.run(input);
  });

  it(`holds for ${inputs} inputs that are made of them`, async () => {
    const found = await fuzz({ target, seed: 20, corpus, isOver: (made) => made >= inputs });
    expect(found.faults.map(({ message, input }) => ({ message, input: String(input) }))).toEqual([]);
    expect(found.inputs).toBeGreaterThan(inputs);
  }, 120_000);
});

it('docs/fuzzing.md has every target, in order', () => {
  const text = readFileSync(join(root, 'docs', 'fuzzing.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z]+)` \| (.*?) \|/gm)].map(([, name, about]) => [name, about]);
  expect(rows).toEqual(targets.map(({ name, about }) => [name, about]));
});
