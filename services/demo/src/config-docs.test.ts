import { readFileSync } from 'node:fs';
import { settingsDeclared, settingsTold } from '@evenkeel/runtime';
import { expect, it } from 'vitest';
import { demoConfig } from './config.js';
import { crowdConfig } from './crowd/config.js';

it.each([
  { service: 'demo', config: demoConfig },
  { service: 'crowd', config: crowdConfig },
] as const)(
  'docs/settings.md lists each setting of $service as it is, and every service knows the variable',
  ({ service, config }) => {
    const document = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');
    expect(settingsTold(document, service)).toEqual(settingsDeclared(config));
  },
);
