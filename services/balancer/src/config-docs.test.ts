import { readFileSync } from 'node:fs';
import {
  describeConfig,
  documentedSettings,
  secretVariables,
  settingsTable,
  variablesOf,
} from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { balancerConfig } from './config.js';

const document = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');

test('docs/settings.md lists every setting of balancer with its default, values and meaning', () => {
  expect(documentedSettings(document, 'balancer')).toEqual(settingsTable(balancerConfig, ['EVENKEEL_ID']));
});

test('every service knows the variables of balancer, so that it does not warn of them', () => {
  const declared = describeConfig(balancerConfig).map(({ variable }) => variable);
  expect(declared.toSorted()).toEqual([...variablesOf.balancer].toSorted());
});

test('every service knows which variables of balancer are secrets, and so may be in files', () => {
  const secrets = describeConfig(balancerConfig).filter(({ isSecret }) => isSecret);
  expect(secretVariables).toEqual(expect.arrayContaining(secrets.map(({ variable }) => variable)));
});
