import { readFileSync } from 'node:fs';
import { describeConfig, documentedSettings, settingsTable, variablesOf } from '@evenkeel/runtime';
import { describe, expect, test } from 'vitest';
import { demoConfig } from './config.js';
import { crowdConfig } from './crowd/config.js';

const document = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');

describe.each([
  { service: 'demo', config: demoConfig },
  { service: 'crowd', config: crowdConfig },
] as const)('settings of $service', ({ service, config }) => {
  test('docs/settings.md lists each with its default, values and meaning', () => {
    expect(documentedSettings(document, service)).toEqual(settingsTable(config));
  });

  test('every service knows their variables, so that it does not warn of them', () => {
    const declared = describeConfig(config).map(({ variable }) => variable);
    expect(declared.toSorted()).toEqual([...variablesOf[service]].toSorted());
  });
});
