import { expect, it } from 'vitest';
import { Directory } from './directory.js';

const session = (uid: string, sid: string) => ({ key: `${uid}.${sid}`, claims: { uid, sid } });

it('a user has the newest connection of each session, and every open one, until they are gone', () => {
  const directory = new Directory<ReturnType<typeof session>>();
  const [old, fresh, other, foreign] = [
    session('u', '1'),
    session('u', '1'),
    session('u', '2'),
    session('v', '3'),
  ] as const;
  for (const each of [old, other, foreign, fresh]) {
    directory.track(each);
    directory.set(each);
  }
  expect(directory.ofUser('u')).toEqual([other, fresh]);
  expect(directory.trackedOf('u')).toEqual([old, other, fresh]);
  directory.remove(old);
  directory.untrack(old);
  expect(directory.ofUser('u')).toEqual([other, fresh]);
  for (const each of [other, fresh]) {
    directory.remove(each);
    directory.untrack(each);
  }
  expect([directory.ofUser('u'), directory.trackedOf('u'), directory.ofUser('v')]).toEqual([
    [],
    [],
    [foreign],
  ]);
});
