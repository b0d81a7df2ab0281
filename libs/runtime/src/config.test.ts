import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, describeConfig, loadConfig, variableOf } from './config.js';

const schema = z.object({
  amqpUrl: z.string().min(1).meta({ description: 'Address of RabbitMQ', secret: true }),
  port: z.number().int().min(0).max(65535).default(8080).describe('Port of the edge'),
  devAuth: z.boolean().default(false).describe('Accept ?user='),
  origins: z.array(z.string()).default([]),
  strategy: z.enum(['least-loaded', 'consistent-hash']).default('least-loaded'),
  name: z.string().optional(),
});

describe('variableOf', () => {
  it('writes a key as an environment variable', () => {
    expect(variableOf('amqpUrl')).toBe('EVENKEEL_AMQP_URL');
    expect(variableOf('loopLagP99Ms', 'X_')).toBe('X_LOOP_LAG_P99_MS');
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
    expect(loadConfig(schema, { env })).toEqual({
      amqpUrl: 'amqp://x',
      port: 0,
      devAuth: true,
      origins: ['https://a', 'https://b'],
      strategy: 'least-loaded',
    });
  });

  it('keeps text that looks like a number as text where text is wanted', () => {
    const text = loadConfig(z.object({ node: z.string() }), { env: { EVENKEEL_NODE: '007' } });
    expect(text.node).toBe('007');
  });

  it('names every bad variable, what it wants and its default, in one error', () => {
    const load = () => loadConfig(schema, { env: { EVENKEEL_PORT: 'eighty', EVENKEEL_DEV_AUTH: 'maybe' } });
    expect(load).toThrow(ConfigError);
    try {
      load();
    } catch (error) {
      expect(error).toMatchObject({
        code: 'config',
        variables: ['EVENKEEL_AMQP_URL', 'EVENKEEL_PORT', 'EVENKEEL_DEV_AUTH'],
      });
      const message = String(error);
      expect(message).toContain('EVENKEEL_AMQP_URL is not set');
      expect(message).toContain('EVENKEEL_PORT is "eighty"');
      expect(message).toContain('default 8080');
      expect(message).toContain('Accept ?user=');
    }
  });

  it('never prints a secret', () => {
    const secrets = z.object({
      key: z.string().regex(/^\d+$/).meta({ secret: true }).default('111222'),
      mode: z.enum(['a', 'b']).meta({ secret: true }),
    });
    const env = { EVENKEEL_KEY: 'hush-hush', EVENKEEL_MODE: 'whisper' };
    const message = (() => {
      try {
        return String(loadConfig(secrets, { env }));
      } catch (error) {
        return String(error);
      }
    })();
    expect(message).toContain('EVENKEEL_KEY is set: not acceptable');
    expect(message).not.toMatch(/hush|whisper|111222/);
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
      description: 'Address of RabbitMQ',
      isRequired: true,
      isSecret: true,
    });
    expect(rows[1]).toMatchObject({ default: '8080', description: 'Port of the edge', isRequired: false });
    expect(rows[5]).toMatchObject({ default: '(unset)' });
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
