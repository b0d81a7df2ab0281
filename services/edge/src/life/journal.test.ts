import { expect, it } from 'vitest';
import { Journal } from './journal.js';

function make(level: 'debug' | 'info') {
  const lines: unknown[][] = [];
  const log = {
    debug: (...line: unknown[]) => void lines.push(line),
    isLevelEnabled: () => level === 'debug',
  };
  return { journal: new Journal(log), lines };
}

it('names a session and its user the same way each time, and what has happened with what belongs to it', () => {
  const { journal, lines } = make('debug');
  journal.note('attached', { uid: 'alice', sid: 's1' }, { kind: 'moved', connection: 'b.1' });
  journal.note('gap', { uid: 'alice', sid: 's1' });
  expect(lines).toEqual([
    [{ session: 's1', user: 'alice', kind: 'moved', connection: 'b.1' }, 'attached'],
    [{ session: 's1', user: 'alice' }, 'gap'],
  ]);
});

it('says nothing, and makes nothing, unless debug is logged', () => {
  const { journal, lines } = make('info');
  journal.note('attached', { uid: 'alice', sid: 's1' });
  expect(lines).toEqual([]);
});
