import { readFileSync } from 'node:fs';
import { describeConfig, documentedSettings, settingsTable, variablesOf } from '@evenkeel/runtime';
import { expect, it } from 'vitest';
import { consoleConfig } from './config.js';

const document = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');

it('docs/settings.md lists each setting with its default, values and meaning', () => {
  expect(documentedSettings(document, 'console')).toEqual(settingsTable(consoleConfig));
});

it('every service knows the variables, so that it does not warn of them', () => {
  const declared = describeConfig(consoleConfig).map(({ variable }) => variable);
  expect(declared.toSorted()).toEqual([...variablesOf.console].toSorted());
});
