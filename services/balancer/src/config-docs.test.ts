import { readFileSync } from 'node:fs';
import { describeConfig } from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { balancerConfig } from './config.js';

const text = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');
const hostDependent = new Set(['EVENKEEL_ID']);

test('docs/settings.md lists every setting of balancer with its default and meaning', () => {
  const section = text.split('\n## Settings: ').find((part) => part.startsWith('balancer\n')) ?? '';
  const listed = (section.split('\n#')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `EVENKEEL_'));
  const declared = describeConfig(balancerConfig).map(({ variable, ...row }) => {
    const value = row.isRequired
      ? 'required'
      : hostDependent.has(variable)
        ? 'from the host name'
        : row.default;
    return `| \`${variable}\` | ${value} | ${row.description} |`;
  });
  expect(listed).toEqual(declared);
});
