import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { loadConfig } from './config.js';
import { amqpSettings, commonSettings, setting } from './settings.js';
import { hasExamplePassword, isProduction, wrongSecret } from './unsafe.js';

test('a secret of an example is known by what it asks for; one that was made is taken', () => {
  for (const secret of [
    'for-development-only-change-me',
    'CHANGEME-0123456789abcdef',
    'an-example-secret-0123456789',
    'at-least-16-characters',
    'at least 16 characters, as openssl rand -base64 32 makes',
  ])
    expect(wrongSecret(secret)).toContain('openssl rand');
  expect(wrongSecret('8CkyYpZ0C6wX1hQvJ9c3Zr3kq5mB7dT2')).toBeUndefined();
});

test('production is what the environment says it is', () => {
  expect(isProduction({ NODE_ENV: 'production' })).toBe(true);
  for (const env of [{}, { NODE_ENV: 'test' }]) expect(isProduction(env)).toBe(false);
});

test.each([
  ['amqp://edge:PASSWORD@mq1/mesh', true, true],
  ['amqp://edge:8CkyYpZ0C6wX1@mq1/mesh,amqp://edge:PASSWORD@mq2/mesh', true, true],
  ['http://monitoring:change-me@mq1:15672', true, true],
  ['amqp://guest:guest@mq1', true, false],
  ['amqp://guest:guest@127.0.0.1:5672', false, false],
  ['amqps://guest:guest@[::1]:5671', false, false],
  ['amqp://edge:8CkyYpZ0C6wX1@mq1,amqp://edge@mq2', false, false],
])(
  'the password of %s is that of an example: in production %s, else %s',
  (address, inProduction, elsewhere) => {
    expect([hasExamplePassword(address, true), hasExamplePassword(address, false)]).toEqual([
      inProduction,
      elsewhere,
    ]);
  },
);

describe('a service', () => {
  const fields = {
    ...amqpSettings,
    ...commonSettings,
    secret: setting.secrets(16),
    hookSecret: z.string().optional().meta({ secret: true }),
    rules: z.string().optional().meta({ secret: true }),
  };
  const published = 'at-least-16-characters';
  const right = { EVENKEEL_SECRET: '8CkyYpZ0C6wX1hQvJ9c3' };
  const wrong = {
    EVENKEEL_AMQP_URL: 'amqp://edge:PASSWORD@rabbitmq',
    EVENKEEL_OPS_TOKEN: published,
    EVENKEEL_SECRET: `8CkyYpZ0C6wX1hQvJ9c3,${published}`,
    EVENKEEL_HOOK_SECRET: published,
  };

  it('refuses each secret of an example, whatever it is called, and shows none', () => {
    for (const [variable, value] of Object.entries(wrong)) {
      const load = () => loadConfig(z.object(fields), { ...right, [variable]: value });
      expect(load).toThrow(new RegExp(`^${variable} has a value \\(not shown\\) .* openssl rand`));
      expect(load).not.toThrow(value);
    }
  });

  it('takes them in development mode, and JSON, whose secrets whoever reads it looks at', () => {
    const schema = z.object({ ...fields, auth: z.string().optional() });
    expect(loadConfig(schema, { ...wrong, EVENKEEL_AUTH: 'dev' }).hookSecret).toBe(published);
    expect(() => loadConfig(schema, { ...wrong, EVENKEEL_AUTH: 'jwt' })).toThrow();
    const rules = `{"of": "change-me"}`;
    expect(loadConfig(schema, { ...right, EVENKEEL_RULES: rules }).rules).toBe(rules);
  });
});
