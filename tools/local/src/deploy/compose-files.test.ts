import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentedSettings, readBy, secretVariables, type variablesOf } from '@evenkeel/runtime';
import { describe, expect, it, test } from 'vitest';
import { secretFiles } from '../commands/compose.js';
import { root } from '../paths.js';
import { type ComposeService, readComposeFile, secondsOf } from './compose-files.js';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** By default, as docs/settings.md has it, which is held against the edge's schema. */
function defaultOf(variable: string): number {
  const row = documentedSettings(read('docs/settings.md'), 'edge').find((each) => each.includes(variable));
  return Number(row?.split('|')[2]);
}

/** Whose settings a container reads: what it runs tells. */
function readerOf({ command, entrypoint }: ComposeService): keyof typeof variablesOf | undefined {
  if (String(entrypoint) === 'evenkeel') return 'tools';
  return /services\/(edge|gateway|balancer|console|api|demo)\//.exec(String(command))?.[1] as
    | 'edge'
    | undefined;
}

const environmentOf = ({ environment }: ComposeService): Record<string, string> =>
  (environment ?? {}) as Record<string, string>;
/** With these variables in `.env`, as Compose fills in: `-` for what is not set, `:-` also for what is empty. */
const filledIn = (text: string, env: Readonly<Record<string, string>> = {}): string =>
  text.replace(/\$\{(\w+)(:?)-([^}]*)\}/g, (_, name: string, colon: string, byDefault: string) => {
    const value = env[name];
    return value === undefined || (colon !== '' && value === '') ? byDefault : value;
  });
/** What there is one of: it may have a port of its own. */
const single = ['ingress', 'rabbitmq', 'prometheus', 'grafana'];
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

describe.each(['docker-compose.yml', 'compose.production.yml'])('%s', (file) => {
  const { services, secrets, volumes } = readComposeFile(join(root, file));
  const all = Object.entries(services);

  it('gives every container settings of its service alone', () => {
    for (const [name, service] of all) {
      const reader = readerOf(service);
      const known = reader === undefined ? [] : readBy(reader);
      const given = Object.keys(environmentOf(service)).filter((each) => each.startsWith('EVENKEEL_'));
      expect({ name, unknown: given.filter((each) => !known.includes(each)) }).toEqual({ name, unknown: [] });
    }
  });

  it('hands secrets over in files, those that the container was given', () => {
    for (const [name, service] of all) {
      const environment = environmentOf(service);
      const given = listOf(service.secrets).map((each) => `/run/secrets/${each}`);
      const named = Object.keys(environment).filter((each) => secretVariables.some((one) => one === each));
      expect({ name, named }).toEqual({ name, named: [] });
      const files = Object.entries(environment).filter(([variable]) => variable.endsWith('_FILE'));
      for (const [, path] of files) expect(given).toContain(filledIn(path));
    }
  });

  it('names only secrets that npm run compose:setup makes, or an operator brings', () => {
    const brought = ['tls.crt', 'tls.key', 'ca'];
    for (const [name, { file: path }] of Object.entries(secrets)) {
      if (!brought.includes(name)) expect(secretFiles).toContain(path.replace('.evenkeel/compose/', ''));
    }
    const used = all.flatMap(([, service]) => listOf(service.secrets));
    for (const each of used) {
      const name = typeof each === 'string' ? each : (each as { source: string }).source;
      expect(Object.keys(secrets)).toContain(name);
    }
  });

  it('lets an edge take its drain and 35 s to stop', () => {
    const seconds = secondsOf(String(services.edge?.stop_grace_period));
    expect(seconds).toBeGreaterThanOrEqual(defaultOf('EVENKEEL_DRAIN_TIMEOUT_MS') / 1_000 + 35);
  });

  it('lets an edge open a file for each client of its capacity', () => {
    const { nofile } = (services.edge?.ulimits ?? {}) as { nofile?: number | string };
    const byDefault = /:-(\d+)\}$/.exec(String(nofile))?.[1] ?? nofile;
    expect(Number(byDefault)).toBeGreaterThan(defaultOf('EVENKEEL_CAPACITY'));
  });

  it('bounds the memory, processes, log and rights of every container', () => {
    for (const [name, service] of all) {
      expect([name, service.cap_drop, service.security_opt]).toEqual([
        name,
        ['ALL'],
        ['no-new-privileges:true'],
      ]);
      expect(service.logging).toMatchObject({ options: { 'max-size': expect.any(String) } });
      // The command line runs for as long as somebody waits for it.
      if (name === 'evenkeel') continue;
      expect(service.restart).toBe('unless-stopped');
      expect(service.deploy).toMatchObject({
        resources: { limits: { memory: expect.stringMatching(/^\d+[MG]$/), pids: expect.any(Number) } },
      });
    }
  });

  it('publishes no port of health and metrics, and none that would keep a service from scaling', () => {
    for (const [name, { ports }] of all) {
      expect(listOf(ports).filter((port) => String(port).endsWith(':9100'))).toEqual([]);
      if (!single.includes(name)) expect(ports).toBeUndefined();
    }
  });

  it('keeps what RabbitMQ holds when its container is made anew', () => {
    expect(services.rabbitmq).toMatchObject({
      hostname: expect.any(String),
      volumes: ['rabbitmq:/var/lib/rabbitmq'],
    });
    expect(volumes).toHaveProperty('rabbitmq');
  });
});

test('the production file trusts nobody by name, publishes the ingress alone, and runs two of each', () => {
  const { services } = readComposeFile(join(root, 'compose.production.yml'));
  expect(Object.keys(services)).not.toContain('demo');
  expect(environmentOf(services.gateway ?? {})).toMatchObject({ EVENKEEL_AUTH: 'jwt' });
  const published = Object.entries(services).filter(([, { ports }]) => ports !== undefined);
  expect(published.map(([name]) => name)).toEqual(['ingress']);
  for (const name of ['edge', 'gateway', 'balancer'] as const) {
    expect(services[name]?.deploy).toMatchObject({ replicas: 2 });
  }
});

test('the production file takes a key set in place of the secret of tokens', () => {
  const { gateway = {} } = readComposeFile(join(root, 'compose.production.yml')).services;
  const keysOf = (env: Readonly<Record<string, string>>) => {
    const filled = Object.entries(environmentOf(gateway)).map(([name, text]) => [name, filledIn(text, env)]);
    const settings = Object.fromEntries(filled);
    return [settings.EVENKEEL_JWT_SECRET_FILE, settings.EVENKEEL_JWKS_URL];
  };
  expect(keysOf({})).toEqual(['/run/secrets/jwt-secret', '']);
  const jwks = 'https://login.example.com/jwks';
  expect(keysOf({ EVENKEEL_JWKS_URL: jwks, EVENKEEL_JWT_SECRET_FILE: '' })).toEqual(['', jwks]);
});

test('every image comes from three: Debian, Node and RabbitMQ', () => {
  const bases = ['infra/docker/Dockerfile', 'infra/docker/ingress/Dockerfile'].flatMap((file) =>
    [...read(file).matchAll(/^ARG \w+_IMAGE=(\S+)/gm)].map(([, base]) => base),
  );
  expect([...new Set(bases)].toSorted()).toEqual(['debian:trixie-slim', 'node:24-trixie-slim']);
  const { services } = readComposeFile(join(root, 'docker-compose.yml'));
  expect(services.rabbitmq?.image).toMatch(/:-rabbitmq:4-management\}$/);
});

test('what the image sets is a setting of every service', () => {
  const set = [...read('infra/docker/Dockerfile').matchAll(/(EVENKEEL_\w+)=/g)].map(([, name = '']) => name);
  expect(set).toContain('EVENKEEL_OPS_HOST');
  for (const service of ['edge', 'gateway', 'balancer', 'console', 'api', 'demo'] as const) {
    expect(readBy(service)).toEqual(expect.arrayContaining(set));
  }
});
