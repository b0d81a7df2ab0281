import { readFileSync } from 'node:fs';
import { describeConfig } from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { demoConfig } from './config.js';

const text = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');

test('docs/settings.md lists every setting of demo with its default and meaning', () => {
  const section = text.split('\n## Settings: ').find((part) => part.startsWith('demo\n')) ?? '';
  const listed = (section.split('\n#')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `EVENKEEL_'));
  const declared = describeConfig(demoConfig).map(({ variable, ...row }) => {
    const value = row.isRequired ? 'required' : row.default;
    return `| \`${variable}\` | ${value} | ${row.description} |`;
  });
  expect(listed).toEqual(declared);
});
