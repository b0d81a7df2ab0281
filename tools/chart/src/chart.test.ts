import { describe, expect, test } from 'vitest';
import { chart, production, type Rendering, render, runHelm } from './helm.js';
import { faultsOf } from './model.js';
import type { Resource } from './resource.js';

const everything = [
  'autoscaling.enabled=true',
  'serviceMonitor.enabled=true',
  'ops.existingSecret=evenkeel-ops',
  'networkPolicy.enabled=true',
  'rabbitmq.create=true',
  'console.enabled=true',
  'console.existingSecret=evenkeel-console',
  'api.enabled=true',
  'api.existingSecret=evenkeel-api',
];
const renderings: Readonly<Record<string, Rendering>> = {
  'default values': {},
  'production values': { files: [production] },
  'an Ingress': { set: [...everything, 'routing=ingress'] },
  'the Gateway API': { set: [...everything, 'routing=gatewayApi'] },
  Istio: { set: [...everything, 'routing=istio'] },
  HAProxy: { set: [...everything, 'routing=haproxy', 'haproxy.tlsSecret=tls'] },
  'routes made elsewhere': { set: [...everything, 'routing=none'] },
};

describe.each(Object.entries(renderings))('with %s', (_, rendering) => {
  test('every resource is one that its API takes, without a field that the API does not know', async () => {
    const resources = await render(rendering);
    expect(resources.length).toBeGreaterThan(15);
    expect((await Promise.all(resources.map(faultsOf))).flat()).toEqual([]);
  });
});

test.each([
  ['default', chart],
  ['production', '--values', production, chart],
])('Helm finds nothing to complain of with %s values', async (_, ...args) => {
  expect(await runHelm(['lint', '--strict', ...args])).toContain('0 chart(s) failed');
});

test('a misspelt field is found, wherever it is in whatever resource', async () => {
  const rendered = await Promise.all(Object.values(renderings).map(render));
  const oneEach = new Map(rendered.flat().map((one) => [`${one.apiVersion} ${one.kind}`, one]));
  const missed: string[] = [];
  for (const resource of oneEach.values()) {
    for (const { path, misspelt } of misspellings(resource)) {
      if ((await faultsOf(misspelt)).length === 0) missed.push(`${resource.kind} ${path}`);
    }
  }
  expect(missed).toEqual([]);
});

/** The resource once for each field of its specification, with that field misspelt. Maps have keys, not fields. */
function misspellings(resource: Resource): { path: string; misspelt: Resource }[] {
  const found: { path: string; misspelt: Resource }[] = [];
  const visit = (value: unknown, path: readonly string[]): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      const here = [...path, key];
      if (
        !Array.isArray(value) &&
        !/(Labels|selector|labels|annotations|requests|limits|data)$/.test(path.at(-1) ?? '')
      ) {
        found.push({ path: here.join('/'), misspelt: misspell(resource, here) as Resource });
      }
      visit(inner, here);
    }
  };
  visit(resource.spec, ['spec']);
  return found;
}

function misspell(value: unknown, [key = '', ...rest]: readonly string[]): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === key ? misspell(item, rest) : item));
  const entries = Object.entries(value as object);
  return Object.fromEntries(
    entries.map(([name, inner]) => {
      if (name !== key) return [name, inner];
      return rest.length === 0 ? [`${name}x`, inner] : [name, misspell(inner, rest)];
    }),
  );
}

test('a wrong value is refused by its model', async () => {
  const resources = await render();
  const ingress = resources.find(({ kind }) => kind === 'Ingress');
  const text = JSON.stringify(ingress).replaceAll('"Exact"', '"Exactly"');
  expect(await faultsOf(JSON.parse(text) as Resource)).toEqual([expect.stringContaining('pathType')]);
});

test.each([
  ['edge.replcas=2', "additional properties 'replcas' not allowed"],
  ['edge.replicas=0', 'minimum: got 0, want 1'],
  ['edge.replicas=9', 'raise it'],
  ['edge.capacity=many', 'got string, want integer'],
  ['edge.drainSeconds=4000', 'maximum: got 4,000, want 3,600'],
  ['edge.settings.EVENKEEL_PORT=1', 'which the chart sets itself'],
  ['edge.settings.evenkeel_weight=1', "invalid propertyName 'evenkeel_weight'"],
  ['routing=nginx', "value must be one of 'ingress', 'gatewayApi', 'istio', 'haproxy', 'none'"],
  ['host=https://mesh.example.com', 'give the name alone'],
  ['gateway.auth=jwt', 'set one of gateway.jwt.jwksUrl and gateway.jwt.existingSecret'],
  ['gateway.auth=basic', "value must be one of 'off', 'dev', 'jwt'"],
  ['api.enabled=true', 'name in api.existingSecret the Secret'],
  ['api.settings.EVENKEEL_API_KEYS=x', 'which the chart sets itself'],
  ['broker.existingSecret=', '/broker/existingSecret'],
])('%s is refused, saying why', async (value, why) => {
  await expect(render({ set: [value] })).rejects.toThrow(why);
});
