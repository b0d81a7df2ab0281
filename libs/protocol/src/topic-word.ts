/** Any text as one word of a topic. Source: PROTOCOL.md, "Any text as a word". */
import { kindOf, maxTopicBytes, NameError } from './names.js';

const plain = /^[\w-]{1,64}$/;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Any text as one word of a topic, event or method: itself where it is `[A-Za-z0-9_-]{1,64}`, else `~` + its base64url (UTF-8, no
 * padding). Different texts make different words; {@link fromTopicWord} gives the text back.
 * @example
 * const topic = `room.${topicWord('Café №1')}`; // room.~Q2Fmw6kg4oSWMQ
 * @throws NameError `bad-topic` when it is no string, empty, no well-formed Unicode, or longer than a topic may be (149 bytes).
 */
export function topicWord(text: string): string {
  if (typeof text !== 'string' || text === '') {
    throw new NameError('bad-topic', `a word is made of text that is not empty, not of ${shown(text)}`);
  }
  if (plain.test(text)) return text;
  // Half a character has no UTF-8: two such texts would make one word.
  if (loneSurrogate.test(text)) throw new NameError('bad-topic', 'the text has a lone surrogate');
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  const word = `~${btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')}`;
  if (word.length > maxTopicBytes) {
    throw new NameError('bad-topic', `the text has ${binary.length} bytes of UTF-8; a word holds 149`);
  }
  return word;
}

/**
 * The text behind a word of a topic; the inverse of {@link topicWord}. A word without `~` is its own text.
 * @example
 * const name = fromTopicWord(message.topic.split('.')[1] ?? '');
 * @throws NameError `bad-topic` when nothing has this word.
 */
export function fromTopicWord(word: string): string {
  if (!word.startsWith('~')) return word;
  try {
    const binary = atob(word.slice(1).replace(/-/g, '+').replace(/_/g, '/'));
    const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (topicWord(text) === word) return text;
  } catch {
    // Told below, as words that are no other text's either.
  }
  throw new NameError('bad-topic', `${word} is no word that topicWord makes`);
}

const shown = (value: unknown): string => (value === '' ? 'an empty one' : kindOf(value));
