import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { shellAssignments } from './env.js';
import { resolveAmqpUrl } from './target.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
  mkdirSync(join(folder, '.evenkeel'));
  mkdirSync(join(folder, 'deep', 'er'), { recursive: true });
  for (const name of ['AMQP_URL', 'OPERATOR_AMQP_URL', 'APP_AMQP_URL']) vi.stubEnv(`EVENKEEL_${name}`, '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('resolveAmqpUrl', () => {
  it('prefers what is given, then the environment, then a mesh that runs in a parent folder', () => {
    writeFileSync(join(folder, '.evenkeel', 'run.json'), JSON.stringify({ amqpUrl: 'amqp://run', x: 1 }));
    expect(resolveAmqpUrl(undefined, 'operator', join(folder, 'deep', 'er'))).toBe('amqp://run');
    vi.stubEnv('EVENKEEL_AMQP_URL', 'amqp://env');
    expect(resolveAmqpUrl(undefined, 'operator', folder)).toBe('amqp://env');
    expect(resolveAmqpUrl('amqp://given', 'operator', folder)).toBe('amqp://given');
  });

  it('speaks as an operator, or as an application, where there is an address for each', () => {
    const run = { amqpUrl: 'amqp://run', appAmqpUrl: 'amqp://app', operatorAmqpUrl: 'amqp://operator' };
    writeFileSync(join(folder, '.evenkeel', 'run.json'), JSON.stringify(run));
    expect(resolveAmqpUrl(undefined, 'operator', folder)).toBe('amqp://operator');
    expect(resolveAmqpUrl(undefined, 'app', folder)).toBe('amqp://app');
    vi.stubEnv('EVENKEEL_AMQP_URL', 'amqp://env');
    expect(resolveAmqpUrl(undefined, 'app', folder)).toBe('amqp://env');
    vi.stubEnv('EVENKEEL_APP_AMQP_URL', 'amqp://env-app');
    expect(resolveAmqpUrl(undefined, 'app', folder)).toBe('amqp://env-app');
    expect(resolveAmqpUrl(undefined, 'operator', folder)).toBe('amqp://env');
  });

  it('takes what is set up for Compose where no npm start runs', () => {
    const compose = { amqpUrl: 'amqp://admin', operatorAmqpUrl: 'amqp://compose' };
    writeFileSync(join(folder, '.evenkeel', 'compose.json'), JSON.stringify(compose));
    expect(resolveAmqpUrl(undefined, 'operator', folder)).toBe('amqp://compose');
    writeFileSync(join(folder, '.evenkeel', 'run.json'), JSON.stringify({ amqpUrl: 'amqp://run' }));
    expect(resolveAmqpUrl(undefined, 'operator', folder)).toBe('amqp://run');
  });

  it('passes over a file that cannot be read', () => {
    writeFileSync(join(folder, '.evenkeel', 'run.json'), '{"amqpUrl": "amq');
    expect(resolveAmqpUrl(undefined, 'operator', folder)).toMatch(/^amqp:\/\//);
  });
});

describe('shellAssignments', () => {
  it('are one a line, read by a shell as they are meant', () => {
    expect(shellAssignments({ A: 'amqp://u:p-w_9@127.0.0.1:5672/v', B: "amqp://u:$(x)'@h" })).toBe(
      "A=amqp://u:p-w_9@127.0.0.1:5672/v\nB='amqp://u:$(x)'\\''@h'\n",
    );
  });
});
