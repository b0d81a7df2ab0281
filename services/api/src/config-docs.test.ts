import { readFileSync } from 'node:fs';
import { describeConfig, documentedSettings, settingsTable, variablesOf } from '@evenkeel/runtime';
import { expect, it } from 'vitest';
import { apiConfig } from './config.js';

const document = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');

it('docs/settings.md lists each setting with its default, values and meaning', () => {
  expect(documentedSettings(document, 'api')).toEqual(settingsTable(apiConfig));
});

it('every service knows the variables, so that it does not warn of them', () => {
  const declared = describeConfig(apiConfig).map(({ variable }) => variable);
  expect(declared.toSorted()).toEqual([...variablesOf.api].toSorted());
});
