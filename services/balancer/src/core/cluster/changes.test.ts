import { expect, it } from 'vitest';
import { NodeChanges } from './changes.js';

const at = (node: string, state: string, boot = 'b') => ({ node, state, boot });

it('says what becomes of nodes, and nothing of what was there before', () => {
  const changes = new NodeChanges();
  const texts = (...seen: ReturnType<typeof at>[]) => changes.take(seen).map(({ text }) => text);
  expect(texts(at('e1', 'active'))).toEqual([]);
  expect(texts(at('e1', 'active'), at('e2', 'joining'))).toEqual(['e2 has joined']);
  expect(texts(at('e1', 'cordoned'), at('e2', 'active'))).toEqual(['e1 is cordoned']);
  expect(texts(at('e1', 'active'), at('e2', 'suspect'))).toEqual([
    'e1 takes clients again',
    'e2 has not reported for 3 s',
  ]);
  expect(texts(at('e1', 'draining'), at('e2', 'active'))).toEqual(['e1 is draining', 'e2 is back']);
  expect(texts(at('e1', 'gone'), at('e2', 'active'))).toEqual(['e1 is gone']);
  expect(texts(at('e1', 'joining', 'another'), at('e2', 'active'))).toEqual(['e1 has started anew']);
  changes.restart();
  expect(texts(at('e3', 'gone'))).toEqual([]);
});
