import { readFileSync } from 'node:fs';
import { describeConfig } from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { edgeConfig } from './config.js';

const text = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');
const hostDependent = new Set(['EVENKEEL_NODE']);

test('docs/settings.md lists every setting of edge with its default and meaning', () => {
  const section = text.split('\n## Settings: ').find((part) => part.startsWith('edge\n')) ?? '';
  const listed = (section.split('\n#')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `EVENKEEL_'));
  const declared = describeConfig(edgeConfig).map(({ variable, ...row }) => {
    const value = row.isRequired
      ? 'required'
      : hostDependent.has(variable)
        ? 'from the host name'
        : row.default;
    return `| \`${variable}\` | ${value} | ${row.description} |`;
  });
  expect(listed).toEqual(declared);
});
