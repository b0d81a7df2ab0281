import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { meshTopology } from './topology.js';

test('ARCHITECTURE.md lists every exchange of meshTopology, as and in the order in which it is declared', () => {
  const text = readFileSync(new URL('../../../ARCHITECTURE.md', import.meta.url), 'utf8');
  const table =
    text.split('| exchange | type | durable | alternate exchange |\n|---|---|---|---|\n')[1] ?? '';
  const declared = meshTopology.exchanges.map(({ name, type, durable, alternateExchange }) => {
    const alternate = alternateExchange === undefined ? '|' : `\`${alternateExchange}\` |`;
    return `| \`${name}\` | ${type} | ${durable ? 'yes' : 'no'} | ${alternate}`;
  });
  expect((table.split('\n\n')[0] ?? '').split('\n')).toEqual(declared);
});
