import { expect, it } from 'vitest';
import { merge } from './env-file.js';

it('adds what is missing, replaces what is made anew, and keeps everything else', () => {
  const values = { made: { PASSWORD: 'new' }, once: { SECRET: 'random' } };
  expect(merge('', values)).toBe('SECRET=random\nPASSWORD=new\n');
  expect(merge('# mine\nMINE=1\nSECRET=kept\nPASSWORD=old\n', values)).toBe(
    '# mine\nMINE=1\nSECRET=kept\nPASSWORD=new\n',
  );
  expect(merge(merge('A=1', values), values)).toBe(merge('A=1', values));
});
