import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { balancerConfig } from '@evenkeel/balancer/config';
import { edgeConfig, publicUrlOf } from '@evenkeel/edge/config';
import { gatewayConfig } from '@evenkeel/gateway/config';
import { loadConfig, variablesOf } from '@evenkeel/runtime';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { chart, production, type Rendering, render } from './helm.js';
import { type Container, podsOf, type Resource, type Variable } from './resource.js';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** What the Secrets hold, by name and key. */
const secrets: Readonly<Record<string, string>> = {
  'evenkeel-broker/edge': 'amqp://edge:secret@rabbitmq:5672',
  'evenkeel-broker/gateway': 'amqp://gateway:secret@rabbitmq:5672',
  'evenkeel-broker/balancer': 'amqp://balancer:secret@rabbitmq:5672',
  'evenkeel-tickets/secret': 'a ticket secret of at least 32 characters',
  'jwt/secret': 'an HS256 secret of at least 32 characters',
};

/** The variable as its container gets it. */
function inPod({ name, value, valueFrom }: Variable, pod: string): string {
  if (value !== undefined) return value;
  if (valueFrom?.fieldRef?.fieldPath === 'metadata.name') return pod;
  const { secretKeyRef } = valueFrom ?? {};
  const secret = secretKeyRef && secrets[`${secretKeyRef.name}/${secretKeyRef.key}`];
  if (secret === undefined) throw new Error(`nothing gives ${name} its value`);
  return secret;
}

const services = [
  ['edge', 'StatefulSet', edgeConfig],
  ['gateway', 'Deployment', gatewayConfig],
  ['balancer', 'Deployment', balancerConfig],
] as const;

type Service = (typeof services)[number][0];

function containerOf(resources: readonly Resource[], kind: string, service: Service): Container {
  const [container] = podsOf(resources, kind, `mesh-evenkeel-${service}`).containers;
  if (container === undefined) throw new Error(`${service} has no container`);
  return container;
}

const environmentOf = ({ env = [] }: Container, pod: string): Record<string, string> =>
  Object.fromEntries(env.map((variable) => [variable.name, inPod(variable, pod)]));

const renderings: Readonly<Record<string, Rendering>> = {
  'default values': {},
  'production values': { files: [production] },
  'every setting of the chart': {
    set: [
      'routing=haproxy',
      'tls=false',
      'gateway.auth=jwt',
      'gateway.jwt.existingSecret=jwt',
      'gateway.jwt.issuer=https://login.example.com/',
      'gateway.jwt.audience=mesh',
      'version=7.1.0',
      'edge.settings.EVENKEEL_WEIGHT=2',
      'gateway.settings.EVENKEEL_PREFER_NEWEST=false',
      'balancer.settings.EVENKEEL_MODE=manual',
    ],
  },
};

describe.each(Object.entries(renderings))('with %s', (_, rendering) => {
  test.each(services)(
    '%s is given settings that it has, with values that it takes',
    async (service, kind, config) => {
      const container = containerOf(await render(rendering), kind, service);
      const env = environmentOf(container, `mesh-evenkeel-${service}-0`);
      expect(container.env?.length).toBe(Object.keys(env).length);
      expect(
        Object.keys(env).filter((name) => !variablesOf[service].some((known) => known === name)),
      ).toEqual([]);
      expect(() => loadConfig<unknown>(config, env)).not.toThrow();
    },
  );

  test.each(services)(
    "the ports of %s's container are those that it listens on",
    async (service, kind, config) => {
      const container = containerOf(await render(rendering), kind, service);
      const settings = loadConfig<{ port?: number; opsPort: number; opsHost: string }>(
        config,
        environmentOf(container, 'mesh-evenkeel-edge-0'),
      );
      const { port, opsPort, opsHost } = settings;
      expect(container.ports.map(({ containerPort }) => containerPort)).toEqual(
        port === undefined ? [opsPort] : [port, opsPort],
      );
      expect(opsHost).toBe('0.0.0.0');
      expect(read('infra/docker/Dockerfile')).toContain(`EVENKEEL_OPS_PORT=${opsPort}`);
    },
  );

  test('an edge is named after its pod, which is in the URL that it reports', async () => {
    const container = containerOf(await render(rendering), 'StatefulSet', 'edge');
    const config = loadConfig(edgeConfig, environmentOf(container, 'mesh-evenkeel-edge-4'));
    expect(config.node).toBe('mesh-evenkeel-edge-4');
    const isByTicket = rendering.set?.includes('routing=haproxy') === true;
    expect(publicUrlOf(config, 8101)).toBe(
      isByTicket ? 'ws://mesh.example.com/ws' : 'wss://mesh.example.com/e/mesh-evenkeel-edge-4/ws',
    );
  });

  test('an edge has 35 s more than its drain before it is killed', async () => {
    const resources = await render(rendering);
    const pod = podsOf(resources, 'StatefulSet', 'mesh-evenkeel-edge');
    const env = environmentOf(containerOf(resources, 'StatefulSet', 'edge'), 'mesh-evenkeel-edge-0');
    const { drainTimeoutMs } = loadConfig(edgeConfig, env);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drainTimeoutMs / 1_000 + 35);
  });

  test.each(services)('%s runs a program of the image, probed where it answers', async (service, kind) => {
    const container = containerOf(await render(rendering), kind, service);
    expect(container.command).toEqual(['node', `services/${service}/dist/main.js`]);
    expect(existsSync(join(root, 'services', service, 'src', 'main.ts'))).toBe(true);
    const { startupProbe, readinessProbe, livenessProbe } = container;
    expect([startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet)).toEqual([
      { path: '/readyz', port: 'ops' },
      { path: '/readyz', port: 'ops' },
      { path: '/healthz', port: 'ops' },
    ]);
  });

  test.each(services)('%s runs without any right that it does not need', async (service, kind) => {
    const pod = podsOf(await render(rendering), kind, `mesh-evenkeel-${service}`);
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.containers.map(({ securityContext }) => securityContext)).toEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ]);
  });
});

test("the chart's version of the image is this repository's", () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8'))).toMatchObject({
    version,
    appVersion: version,
  });
});

test('edges are scaled by a metric that they have', async () => {
  const text = JSON.stringify(await render({ set: ['autoscaling.enabled=true'] }));
  const [, metric = ''] = /"metric":\{"name":"(\w+)"\}/.exec(text) ?? [];
  expect(read('services/edge/src/metrics.ts')).toContain(`'${metric}'`);
});
