import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { appUser, edgeUser, fixedUsers, rightsOf } from './rights.js';

const document = readFileSync(new URL('../../../docs/broker-users.md', import.meta.url), 'utf8');
const users = ['edge', edgeUser('NODE'), ...fixedUsers.filter((user) => user !== 'edge'), appUser('NAME')];

const row = (...cells: string[]): string =>
  `| ${cells.map((cell) => (cell === '^$' ? 'none' : `\`${cell.replaceAll('|', '\\|')}\``)).join(' | ')} |`;

function tableUnder(head: string): string[] {
  const [, rest = ''] = document.split(`${head}\n`);
  return (rest.split('\n\n')[0] ?? '').split('\n').slice(1);
}

test('docs/broker-users.md has the rights of every user', () => {
  expect(tableUnder('| user | configure | write | read |')).toEqual(
    users.map((user) => {
      const { configure, write, read } = rightsOf(user);
      return row(user, configure, write, read);
    }),
  );
});

test('docs/broker-users.md has the keys of every user', () => {
  expect(tableUnder('| user | exchange | keys published | keys bound |')).toEqual(
    users.flatMap((user) =>
      rightsOf(user).topics.map(({ exchange, write, read }) => row(user, exchange, write, read)),
    ),
  );
});
