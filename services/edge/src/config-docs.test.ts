import { readFileSync } from 'node:fs';
import {
  describeConfig,
  documentedSettings,
  secretVariables,
  settingsTable,
  variablesOf,
} from '@evenkeel/runtime';
import { expect, test } from 'vitest';
import { edgeConfig } from './config.js';

const document = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');

test('docs/settings.md lists every setting of edge with its default, values and meaning', () => {
  expect(documentedSettings(document, 'edge')).toEqual(settingsTable(edgeConfig, ['EVENKEEL_NODE']));
});

test('every service knows the variables of edge, so that it does not warn of them', () => {
  const declared = describeConfig(edgeConfig).map(({ variable }) => variable);
  expect(declared.toSorted()).toEqual([...variablesOf.edge].toSorted());
});

test('every service knows which variables of edge are secrets, and so may be in files', () => {
  const secrets = describeConfig(edgeConfig).filter(({ isSecret }) => isSecret);
  expect(secretVariables).toEqual(expect.arrayContaining(secrets.map(({ variable }) => variable)));
});
