import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { resolveAmqpUrl } from './target.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
  mkdirSync(join(folder, '.evenkeel'));
  mkdirSync(join(folder, 'deep', 'er'), { recursive: true });
  vi.stubEnv('EVENKEEL_AMQP_URL', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('resolveAmqpUrl', () => {
  it('prefers what is given, then the environment, then a mesh that runs in a parent folder', () => {
    writeFileSync(join(folder, '.evenkeel', 'run.json'), JSON.stringify({ amqpUrl: 'amqp://run', x: 1 }));
    expect(resolveAmqpUrl(undefined, join(folder, 'deep', 'er'))).toBe('amqp://run');
    vi.stubEnv('EVENKEEL_AMQP_URL', 'amqp://env');
    expect(resolveAmqpUrl(undefined, folder)).toBe('amqp://env');
    expect(resolveAmqpUrl('amqp://given', folder)).toBe('amqp://given');
  });

  it('passes over a file that cannot be read', () => {
    writeFileSync(join(folder, '.evenkeel', 'run.json'), '{"amqpUrl": "amq');
    expect(resolveAmqpUrl(undefined, folder)).toMatch(/^amqp:\/\//);
  });
});
