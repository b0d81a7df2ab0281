import { readFileSync } from 'node:fs';
import { describeConfig } from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { demoConfig } from './config.js';
import { crowdConfig } from './crowd/config.js';

const text = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');

test.each([
  ['demo', demoConfig],
  ['crowd', crowdConfig],
])('docs/settings.md lists every setting of %s with its default and meaning', (name, config) => {
  const section = text.split('\n## Settings: ').find((part) => part.startsWith(`${name}\n`)) ?? '';
  const listed = (section.split('\n#')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `EVENKEEL_'));
  const declared = describeConfig(config).map(({ variable, ...row }) => {
    const value = row.isRequired ? 'required' : row.default;
    return `| \`${variable}\` | ${value} | ${row.description} |`;
  });
  expect(listed).toEqual(declared);
});
