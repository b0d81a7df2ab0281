import { readFileSync } from 'node:fs';
import { settingsDeclared, settingsTold } from '@evenkeel/runtime';
import { expect, it } from 'vitest';
import { balancerConfig } from './config.js';

it('docs/settings.md lists each setting as it is, and every service knows the variable', () => {
  const document = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');
  expect(settingsTold(document, 'balancer')).toEqual(settingsDeclared(balancerConfig, ['EVENKEEL_ID']));
});
