import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentedSettings, readBy, secretVariables, type variablesOf } from '@evenkeel/runtime';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { root } from '../paths.js';

const folder = join(root, 'infra', 'systemd');
const units = readdirSync(folder).filter((name) => name.endsWith('.service'));
const textOf = (unit: string): string => readFileSync(join(folder, unit), 'utf8');

/** What a unit says under a key, line by line. */
const valuesOf = (unit: string, key: string): string[] =>
  textOf(unit)
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));

const numberOf = (unit: string, key: string): number => Number(valuesOf(unit, key).at(-1));

/** `NAME=VALUE …` of all its lines. */
const environmentOf = (unit: string): [string, string][] =>
  valuesOf(unit, 'Environment')
    .flatMap((line) => line.split(' '))
    .map((each) => each.split('=', 2) as [string, string]);

const serviceOf = (unit: string) =>
  /evenkeel-(\w+)/.exec(unit)?.[1] as Exclude<keyof typeof variablesOf, 'tools'>;

/** By default, as docs/settings.md has it. */
function edgeDefault(variable: string): number {
  const document = readFileSync(join(root, 'docs', 'settings.md'), 'utf8');
  const row = documentedSettings(document, 'edge').find((each) => each.includes(variable));
  return Number(row?.split('|')[2]);
}

describe.each(units)('%s', (unit) => {
  it('sets variables of its service alone, and secrets as files that it was handed', () => {
    const environment = environmentOf(unit);
    // Those of the C library are no settings of the service's.
    const own = environment.map(([name]) => name).filter((name) => !name.startsWith('MALLOC_'));
    expect(readBy(serviceOf(unit))).toEqual(expect.arrayContaining(own));
    const handed = valuesOf(unit, 'LoadCredential').map((each) => `%d/${each.split(':')[0]}`);
    for (const [name, value] of environment) {
      expect(secretVariables).not.toContain(name);
      if (name.endsWith('_FILE')) expect(handed).toContain(value);
    }
  });

  it('starts the service that it is named after, anew when it ends, with few rights', () => {
    expect(valuesOf(unit, 'ExecStart')[0]).toContain(`/services/${serviceOf(unit)}/dist/main.js`);
    expect(valuesOf(unit, 'Restart')).toEqual(['always']);
    expect(valuesOf(unit, 'DynamicUser')).toEqual(['yes']);
    expect(valuesOf(unit, 'CapabilityBoundingSet')).toEqual(['']);
  });
});

test('an edge may take its drain and 35 s to stop, and open a file for each client of its capacity', () => {
  const unit = 'evenkeel-edge@.service';
  expect(units).toContain(unit);
  const drainSeconds = edgeDefault('EVENKEEL_DRAIN_TIMEOUT_MS') / 1_000;
  expect(numberOf(unit, 'TimeoutStopSec')).toBeGreaterThanOrEqual(drainSeconds + 35);
  expect(numberOf(unit, 'LimitNOFILE')).toBeGreaterThan(edgeDefault('EVENKEEL_CAPACITY'));
});

test('systemd, where it is at hand, finds nothing wrong with the units', () => {
  const dir = mkdtempSync(join(tmpdir(), 'evenkeel-units-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const files = units.map((unit) => {
    const file = join(dir, unit.replace('@', '@8101'));
    // It looks whether the program is there.
    writeFileSync(file, textOf(unit).replace('/usr/bin/node', process.execPath));
    return file;
  });
  const verifier = '/usr/bin/systemd-analyze';
  const verify = () => spawnSync(verifier, ['verify', '--man=no', ...files], { encoding: 'utf8' });
  const said = existsSync(verifier) ? verify().stderr : '';
  expect(said.split('\n').filter((line) => line.includes('evenkeel-'))).toEqual([]);
});
