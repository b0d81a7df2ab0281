import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTopic } from './names.js';
import { fromTopicWord, topicWord } from './topic-word.js';

interface Case {
  readonly text: string;
  readonly word?: string;
  readonly fails?: true;
}
const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const cases = JSON.parse(read('./topic-words.json')) as Case[];
const text149 = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter((text) => new TextEncoder().encode(text).length <= 149);

describe('any text as a word of a topic', () => {
  it.each(cases)('is for $text what the table says', ({ text, word, fails }) => {
    if (fails) return expect(() => topicWord(text)).toThrow(expect.objectContaining({ code: 'bad-topic' }));
    expect(topicWord(text)).toBe(word);
    expect(fromTopicWord(word ?? '')).toBe(text);
  });

  it('is one word, and gives the text back', () => {
    fc.assert(
      fc.property(text149, (text) => {
        const word = topicWord(text);
        expect(isTopic(word) && !word.includes('.')).toBe(true);
        expect(fromTopicWord(word)).toBe(text);
      }),
    );
  });

  it('is another for another text', () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(text149, (text) => {
        const word = topicWord(text);
        expect(seen.get(word) ?? text).toBe(text);
        seen.set(word, text);
      }),
    );
  });

  it('has no text where nothing makes the word', () => {
    for (const word of ['~', '~YQ', '~YS5i=', '~_w', '~YS5j~', '~YS5']) {
      expect(() => fromTopicWord(word), word).toThrow(expect.objectContaining({ code: 'bad-topic' }));
    }
  });

  it('refuses half a character, which has no UTF-8', () => {
    expect(() => topicWord('\ud83d')).toThrow(/surrogate/);
  });

  it('is in PROTOCOL.md as it is made', () => {
    const [, section = ''] =
      /^### Any text as a word\n([\s\S]*?)^### /m.exec(read('../../../PROTOCOL.md')) ?? [];
    const rows = [...section.matchAll(/^\| `([^`]+)` \| `([^`]+)` \|$/gm)];
    expect(rows.length).toBeGreaterThanOrEqual(4);
    for (const [, text = '', word] of rows) expect(topicWord(text)).toBe(word);
  });

  it('is the same in the Python package', () => {
    const script = `
import json, sys
import _names as names
def made(text):
    try:
        return names.topic_word(text)
    except ValueError:
        return None
words = [made(text) for text in json.load(sys.stdin)]
print(json.dumps([words, [word and names.from_topic_word(word) for word in words]]))`;
    const texts = [...cases.map(({ text }) => text), ...fc.sample(text149, 200)];
    const cwd = new URL('../../../packages/python/evenkeel/', import.meta.url);
    const input = JSON.stringify(texts);
    const { stdout, stderr } = spawnSync('python3', ['-B', '-c', script], { cwd, input, encoding: 'utf8' });
    expect(stderr).toBe('');
    const words = texts.map((text) => cases.find((row) => row.text === text)?.word ?? madeOf(text));
    expect(JSON.parse(stdout)).toEqual([words, texts.map((text, n) => (words[n] === null ? null : text))]);
  });
});

function madeOf(text: string): string | null {
  try {
    return topicWord(text);
  } catch {
    return null;
  }
}
