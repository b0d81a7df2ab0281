import { readFileSync } from 'node:fs';
import {
  describeConfig,
  documentedSettings,
  secretVariables,
  settingsTable,
  variablesOf,
} from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { gatewayConfig } from './config.js';

const document = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');

test('docs/settings.md lists every setting of gateway with its default, values and meaning', () => {
  expect(documentedSettings(document, 'gateway')).toEqual(settingsTable(gatewayConfig));
});

test('every service knows the variables of gateway, so that it does not warn of them', () => {
  const declared = describeConfig(gatewayConfig).map(({ variable }) => variable);
  expect(declared.toSorted()).toEqual([...variablesOf.gateway].toSorted());
});

test('every service knows which variables of gateway are secrets, and so may be in files', () => {
  const secrets = describeConfig(gatewayConfig).filter(({ isSecret }) => isSecret);
  expect(secretVariables).toEqual(expect.arrayContaining(secrets.map(({ variable }) => variable)));
});
