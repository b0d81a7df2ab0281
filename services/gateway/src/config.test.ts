import { ConfigError, loadConfig } from '@evenkeel/runtime';
import { afterEach, expect, test, vi } from 'vitest';
import { gatewayConfig } from './config.js';

const needed = { EVENKEEL_AMQP_URL: 'amqp://x', EVENKEEL_SECRET: 'a secret of 16 bytes or more' };
const secret = { EVENKEEL_JWT_SECRET: 'a secret of at least 32 characters' };
const keySet = { EVENKEEL_JWKS_URL: 'https://keys.example/' };

/** The lines that a gateway prints when it does not start with these settings. */
function refusal(env: Record<string, string>): string {
  try {
    loadConfig(gatewayConfig, { ...needed, ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
  }
  return '';
}

test('EVENKEEL_ORIGINS and its former name take whole origins, and not both', () => {
  const app = 'https://app.example.com';
  expect(refusal({ EVENKEEL_ORIGINS: `${app},http://localhost:3000` })).toBe('');
  expect(refusal({ EVENKEEL_CORS_ORIGIN: '*' })).toBe('');
  expect(
    loadConfig(gatewayConfig, { ...needed, EVENKEEL_CORS_ORIGIN: `${app}, http://a.example` }),
  ).toMatchObject({
    corsOrigin: [app, 'http://a.example'],
  });
  expect(refusal({ EVENKEEL_ORIGINS: `${app}/` })).toContain('an origin such as https://app.example.com');
  expect(refusal({ EVENKEEL_ORIGINS: app, EVENKEEL_CORS_ORIGIN: app })).toContain('unset this one');
});

test('EVENKEEL_AUTH=jwt takes a secret or a key set; with both or neither the gateway does not start, and says what to do', () => {
  const jwt = { EVENKEEL_AUTH: 'jwt' };
  expect(refusal({ ...jwt, ...secret })).toBe('');
  expect(refusal({ ...jwt, ...keySet })).toBe('');
  expect(refusal(jwt)).toBe(
    'EVENKEEL_JWT_SECRET is not set; with EVENKEEL_AUTH=jwt set it, or EVENKEEL_JWKS_URL, or EVENKEEL_JWT_PUBLIC_KEY (HS256 secret of auth=jwt)',
  );
  expect(refusal({ ...jwt, ...secret, ...keySet })).toBe(
    'EVENKEEL_JWKS_URL is "https://keys.example/"; EVENKEEL_JWT_SECRET is set too; unset one of the two (key set of auth=jwt)',
  );
});

afterEach(() => {
  vi.unstubAllEnvs();
});

test('EVENKEEL_AUTH=dev does not start with NODE_ENV=production, unless EVENKEEL_ALLOW_DEV says so', () => {
  const dev = { EVENKEEL_AUTH: 'dev' };
  expect(refusal(dev)).toBe('');
  vi.stubEnv('NODE_ENV', 'production');
  expect(refusal(dev)).toMatch(/^EVENKEEL_AUTH is "dev"; NODE_ENV is production, .* EVENKEEL_ALLOW_DEV=yes/);
  expect(refusal({ ...dev, EVENKEEL_ALLOW_DEV: 'yes' })).toBe('');
  expect(refusal({ EVENKEEL_AUTH: 'jwt', ...secret })).toBe('');
});

test('secrets of examples are refused outside development mode, and not shown', () => {
  const published = 'for-development-only-change-me';
  const message = refusal({ EVENKEEL_AUTH: 'jwt', ...secret, EVENKEEL_SECRET: published });
  expect(message).toMatch(/^EVENKEEL_SECRET has a value \(not shown\).*openssl rand/);
  expect(message).not.toContain(published);
  expect(refusal({ EVENKEEL_AUTH: 'dev', EVENKEEL_SECRET: published })).toBe('');
  const jwt = { EVENKEEL_AUTH: 'jwt', EVENKEEL_JWT_SECRET: `${published}-0123456789` };
  expect(refusal(jwt)).toMatch(/^EVENKEEL_JWT_SECRET has a value \(not shown\).*openssl rand/);
  const hook = { EVENKEEL_AUTH: 'hook', EVENKEEL_AUTH_HOOK_URL: 'https://app.example/session' };
  for (const variable of ['EVENKEEL_AUTH_HOOK_SECRET', 'EVENKEEL_OPS_TOKEN', 'EVENKEEL_LOCAL_TOKEN']) {
    const env = { ...hook, EVENKEEL_AUTH_HOOK_SECRET: 'a secret of the hook', [variable]: published };
    expect(refusal(env)).toMatch(new RegExp(`^${variable} has a value \\(not shown\\).*openssl rand`));
  }
});

test('EVENKEEL_CELLS that is no map is refused, and so is one with a password of an example; no password is shown', () => {
  const cells = (amqpUrl: string, auth = 'off') =>
    refusal({ EVENKEEL_AUTH: auth, EVENKEEL_CELLS: JSON.stringify({ cells: { north: { amqpUrl } } }) });
  expect(cells('amqp://gateway:8CkyYpZ0C6wX1@mq-north')).toBe('');
  expect(cells('http://gateway:8CkyYpZ0C6wX1@mq-north')).toMatch(
    /^EVENKEEL_CELLS has a value \(not shown\).* amqpUrl of cell north takes (?!.*8Cky)/,
  );
  expect(cells('amqp://gateway:PASSWORD@mq-north')).toMatch(
    /^EVENKEEL_CELLS has a value \(not shown\).*cell north .*openssl rand(?!.*PASSWORD)/,
  );
  expect(cells('amqp://gateway:PASSWORD@mq-north', 'dev')).toBe('');
  expect(refusal({ EVENKEEL_CELLS: '/nowhere/cells.json' })).toMatch(/^EVENKEEL_CELLS has a value/);
});

test('EVENKEEL_NAMESPACES that edges would refuse is refused, and so is the hook secret of an example', () => {
  const ofHook = (secret: string) =>
    JSON.stringify({ namespaces: {}, hook: { url: 'https://app.example/', secret } });
  const rules = (text: string, auth = 'off') => refusal({ EVENKEEL_AUTH: auth, EVENKEEL_NAMESPACES: text });
  expect(rules('{"namespaces":{"room":{"subscribe":"claim"}}}')).toBe('');
  expect(rules('{"namespaces":{"room":{"subscribe":"all"}}}')).toMatch(
    /^EVENKEEL_NAMESPACES has a value \(not shown\) .*`namespaces\.room\.subscribe`/,
  );
  expect(rules('/nowhere/namespaces.json')).toMatch(/^EVENKEEL_NAMESPACES has a value/);
  expect(rules(ofHook('a secret of the hook'))).toBe('');
  expect(rules(ofHook('at-least-16-characters'))).toMatch(/`hook\.secret`: it is that of an example/);
  expect(rules(ofHook('at-least-16-characters'), 'dev')).toBe('');
});

test('EVENKEEL_AUTH=hook takes where to ask and what signs it; http reaches this machine alone', () => {
  const hook = { EVENKEEL_AUTH: 'hook', EVENKEEL_AUTH_HOOK_SECRET: 'a secret of the hook' };
  expect(refusal({ ...hook, EVENKEEL_AUTH_HOOK_URL: 'https://app.example/session' })).toBe('');
  expect(refusal({ ...hook, EVENKEEL_AUTH_HOOK_URL: 'http://127.0.0.1:3000/session' })).toBe('');
  expect(refusal(hook)).toMatch(/^EVENKEEL_AUTH_HOOK_URL is not set; with EVENKEEL_AUTH=hook set it/);
  for (const url of ['http://app.example/session', 'ftp://app.example/', 'https://u:p@app.example/'])
    expect(refusal({ ...hook, EVENKEEL_AUTH_HOOK_URL: url })).toMatch(/^EVENKEEL_AUTH_HOOK_URL/);
});
