import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import {
  ConfigError,
  describeConfig,
  loadConfig,
  parseSetting,
  shownSettings,
  variableOf,
} from './config.js';
import { setting } from './settings.js';

const schema = z.object({
  amqpUrl: z.string().min(1).meta({ description: 'Address of RabbitMQ', secret: true }),
  port: setting.port().default(8080).describe('Port of the edge'),
  devAuth: z.boolean().default(false).describe('Accept ?user='),
  origins: z.array(z.string()).default([]),
  strategy: z.enum(['least-loaded', 'consistent-hash']).default('least-loaded'),
  name: z.string().optional(),
});

function refusalOf(config: z.ZodObject, env: Record<string, string>): ConfigError {
  try {
    loadConfig(config, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('variableOf', () => {
  it('writes a key as an environment variable', () => {
    expect(variableOf('amqpUrl')).toBe('EVENKEEL_AMQP_URL');
    expect(variableOf('loopLagP99Ms')).toBe('EVENKEEL_LOOP_LAG_P99_MS');
  });
});

describe('loadConfig', () => {
  it('makes numbers, booleans and lists from text and fills in defaults', () => {
    const env = {
      EVENKEEL_AMQP_URL: 'amqp://x',
      EVENKEEL_PORT: '0',
      EVENKEEL_DEV_AUTH: 'Yes',
      EVENKEEL_ORIGINS: 'https://a, https://b',
      EVENKEEL_NAME: '',
      UNRELATED: '1',
    };
    expect(loadConfig(schema, env)).toEqual({
      amqpUrl: 'amqp://x',
      port: 0,
      devAuth: true,
      origins: ['https://a', 'https://b'],
      strategy: 'least-loaded',
    });
  });

  it('keeps text that looks like a number as text where text is wanted', () => {
    expect(loadConfig(z.object({ node: z.string() }), { EVENKEEL_NODE: '007' }).node).toBe('007');
  });

  it('says in one line for each bad variable what it got and what it takes', () => {
    const env = { EVENKEEL_PORT: 'eighty', EVENKEEL_DEV_AUTH: 'maybe', EVENKEEL_STRATEGY: 'a\nb' };
    const refusal = refusalOf(schema, env);
    expect(refusal.code).toBe('config');
    expect(refusal.message.split('\n')).toEqual([
      'EVENKEEL_AMQP_URL is not set; it takes text of at least 1 characters (Address of RabbitMQ)',
      'EVENKEEL_PORT is "eighty"; it takes a whole number from 0 to 65535 (Port of the edge)',
      'EVENKEEL_DEV_AUTH is "maybe"; it takes true or false (Accept ?user=)',
      'EVENKEEL_STRATEGY is "a\\nb"; it takes least-loaded or consistent-hash',
    ]);
    expect(refusal.variables).toEqual([
      'EVENKEEL_AMQP_URL',
      'EVENKEEL_PORT',
      'EVENKEEL_DEV_AUTH',
      'EVENKEEL_STRATEGY',
    ]);
  });

  it('says of values that contradict each other what the schema says', () => {
    const pair = schema.superRefine(({ devAuth, port }, context) => {
      if (devAuth && port === 0) context.addIssue({ code: 'custom', path: ['port'], message: 'choose one' });
    });
    const env = { EVENKEEL_AMQP_URL: 'amqp://x', EVENKEEL_DEV_AUTH: '1', EVENKEEL_PORT: '0' };
    expect(refusalOf(pair, env).message).toBe('EVENKEEL_PORT is "0"; choose one (Port of the edge)');
  });

  it('never prints a secret, and shows no more than the beginning of a long value', () => {
    const secrets = z.object({
      key: z.string().regex(/^\d+$/).meta({ secret: true }).default('111222'),
      mode: z.enum(['a', 'b']),
    });
    const env = { EVENKEEL_KEY: 'hush-hush', EVENKEEL_MODE: 'm'.repeat(10_000) };
    const { message } = refusalOf(secrets, env);
    expect(message).toContain('EVENKEEL_KEY has a value (not shown) that it cannot use');
    expect(message).not.toMatch(/hush|111222/);
    expect(message.length).toBeLessThan(500);
  });

  it('takes URLs of the protocols that are asked for', () => {
    const urls = z.object({ url: setting.url('ws:', 'wss:') });
    expect(loadConfig(urls, { EVENKEEL_URL: 'wss://mesh.example/ws' }).url).toBe('wss://mesh.example/ws');
    for (const url of ['http://x', 'mesh.example', 'ws:']) {
      expect(refusalOf(urls, { EVENKEEL_URL: url }).message).toBe(
        `EVENKEEL_URL is "${url}"; it takes a URL that begins with ws:// or wss://`,
      );
    }
  });
});

describe('a secret in a file', () => {
  const secrets = z.object({
    key: z.string().min(4).meta({ secret: true }),
    keys: z.array(z.string()).default([]).meta({ secret: true }),
    plain: z.string().optional(),
  });

  function fileWith(text: string): string {
    const dir = mkdtempSync(join(tmpdir(), 'evenkeel-secret-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const file = join(dir, 'secret');
    writeFileSync(file, text);
    return file;
  }

  it('is read as if the variable held it, without line ends at its end', () => {
    const env = { EVENKEEL_KEY_FILE: fileWith('hush hush\n'), EVENKEEL_KEYS_FILE: fileWith('a, b\r\n') };
    expect(loadConfig(secrets, env)).toEqual({ key: 'hush hush', keys: ['a', 'b'] });
  });

  it('is for secrets alone: another setting is not read from a file', () => {
    const env = { EVENKEEL_KEY: 'hush', EVENKEEL_PLAIN_FILE: fileWith('x') };
    expect(loadConfig(secrets, env)).toEqual({ key: 'hush', keys: [] });
  });

  it('is refused in one line that names the variable, and what the file holds is not printed', () => {
    const refusals = (env: Record<string, string>) => refusalOf(secrets, env).message.split('\n');
    const file = fileWith('hus');
    expect(refusals({ EVENKEEL_KEY_FILE: file })).toEqual([
      `EVENKEEL_KEY of the file ${file} has a value (not shown) that it cannot use; it takes text of at least 4 characters`,
    ]);
    expect(refusals({ EVENKEEL_KEY: 'x', EVENKEEL_KEY_FILE: file })).toEqual([
      `EVENKEEL_KEY_FILE is "${file}"; EVENKEEL_KEY is set too; unset one of the two`,
    ]);
    expect(refusals({ EVENKEEL_KEY_FILE: `${file}.gone` })).toEqual([
      `EVENKEEL_KEY_FILE is "${file}.gone"; cannot read it: ENOENT`,
    ]);
    expect(refusals({ EVENKEEL_KEY: 'hush', EVENKEEL_KEYS_FILE: fileWith('\n') })[0]).toContain('is empty');
    expect(refusals({ EVENKEEL_KEY_FILE: fileWith('x'.repeat(70_000)) })[0]).toContain('at most 65536 bytes');
  });
});

describe('describeConfig', () => {
  it('gives a row per variable', () => {
    const rows = describeConfig(schema);
    expect(rows.map((row) => row.variable)).toEqual([
      'EVENKEEL_AMQP_URL',
      'EVENKEEL_PORT',
      'EVENKEEL_DEV_AUTH',
      'EVENKEEL_ORIGINS',
      'EVENKEEL_STRATEGY',
      'EVENKEEL_NAME',
    ]);
    expect(rows[0]).toEqual({
      variable: 'EVENKEEL_AMQP_URL',
      default: '',
      takes: 'text of at least 1 characters',
      description: 'Address of RabbitMQ',
      isRequired: true,
      isSecret: true,
    });
    expect(rows[1]).toMatchObject({ default: '8080', description: 'Port of the edge', isRequired: false });
    expect(rows[5]).toMatchObject({ default: '(unset)' });
  });

  it('says what each takes by its type and bounds, or in its own words', () => {
    const bounded = z.object({
      weight: z.number().positive().max(100),
      count: z.int(),
      windows: z.array(z.string().meta({ takes: 'HH:MM-HH:MM' })),
      url: setting.url('amqp:').default('amqp://x'),
    });
    expect(describeConfig(bounded).map((row) => row.takes)).toEqual([
      'a number above 0 and of at most 100',
      'a whole number',
      'a list, separated by commas, each HH:MM-HH:MM',
      'a URL that begins with amqp://',
    ]);
  });

  it('finds a description under a default and through a transform', () => {
    const rows = describeConfig(
      z.object({
        a: z.number().describe('inside').default(1),
        b: z
          .string()
          .describe('before')
          .default('2')
          .transform((text) => text.length),
      }),
    );
    expect(rows.map((row) => row.description)).toEqual(['inside', 'before']);
  });
});

describe('one setting by itself', () => {
  it('is taken as JSON has it, and as text is in the environment', () => {
    for (const given of ['8081', 8081])
      expect(parseSetting(schema.shape.port, given)).toEqual({ value: 8081 });
    for (const given of ['a, b', ['a', 'b']])
      expect(parseSetting(schema.shape.origins, given)).toEqual({ value: ['a', 'b'] });
  });

  it('that is not taken, or not there, is answered by what is', () => {
    for (const given of ['soon', -1, undefined, null, true])
      expect(parseSetting(schema.shape.port, given)).toEqual({ takes: 'a whole number from 0 to 65535' });
  });
});

it('of settings all is shown that is set and no secret', () => {
  const config = loadConfig(schema, { EVENKEEL_AMQP_URL: 'amqp://user:password@x' });
  expect(shownSettings(schema, config)).toEqual({
    port: 8080,
    devAuth: false,
    origins: [],
    strategy: 'least-loaded',
  });
});
