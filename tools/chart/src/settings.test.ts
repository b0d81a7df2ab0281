import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiConfig } from '@evenkeel/api/config';
import { balancerConfig } from '@evenkeel/balancer/config';
import { NodeUrls } from '@evenkeel/cluster';
import { consoleConfig } from '@evenkeel/console/config';
import { edgeConfig, publicUrlOf } from '@evenkeel/edge/config';
import { gatewayConfig } from '@evenkeel/gateway/config';
import { describeConfig, loadConfig, variablesOf } from '@evenkeel/runtime';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { chart, production, type Rendering, render } from './helm.js';
import { type PodSpec, podsOf } from './resource.js';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** What the Secrets hold, by name and key. */
const secrets: Readonly<Record<string, string>> = {
  'evenkeel-broker/edge': 'amqp://edge:secret@rabbitmq:5672',
  'evenkeel-broker/gateway': 'amqp://gateway:secret@rabbitmq:5672',
  'evenkeel-broker/balancer': 'amqp://balancer:secret@rabbitmq:5672',
  'evenkeel-broker/console': 'amqp://console:secret@rabbitmq:5672',
  'evenkeel-console/tokens': `ann:operate:${'0'.repeat(64)}`,
  'evenkeel-broker/api': 'amqp://api:secret@rabbitmq:5672',
  'evenkeel-api/keys': `shop:publish:${'0'.repeat(64)}`,
  'evenkeel-api/webhooks': JSON.stringify({
    webhooks: [{ name: 'shop', url: 'https://shop.example.com/', secret: '0'.repeat(16), on: ['publish'] }],
  }),
  'evenkeel-tickets/secret': 'a ticket secret of at least 32 characters',
  'evenkeel-ops/token': 'a-token-of-operators',
  'jwt/secret': 'an HS256 secret of at least 32 characters',
};

/** What is in the files of a pod that come from Secrets, by path. */
function filesOf({ volumes = [], containers }: PodSpec): Map<string, string> {
  const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
  return new Map(
    mounts.flatMap(({ name, mountPath }) => {
      const sources = volumes.find((volume) => volume.name === name)?.projected?.sources ?? [];
      return sources.flatMap(({ secret }) =>
        secret.items.map(({ key, path }): [string, string] => [
          `${mountPath}/${path}`,
          secrets[`${secret.name}/${key}`] ?? '',
        ]),
      );
    }),
  );
}

/** The environment of a pod's container, with what is in files in the place of their names. */
function environmentOf(pod: PodSpec, name: string): Record<string, string> {
  const files = filesOf(pod);
  const variables = pod.containers.flatMap(({ env = [] }) => env);
  const entries = variables.map((variable): [string, string] => {
    if (variable.valueFrom?.fieldRef?.fieldPath === 'metadata.name') return [variable.name, name];
    const { value = '' } = variable;
    const [, secret] = /^(.+)_FILE$/.exec(variable.name) ?? [];
    return secret === undefined ? [variable.name, value] : [secret, files.get(value) ?? ''];
  });
  expect(new Set(entries.map(([variable]) => variable)).size).toBe(entries.length);
  expect(entries.filter(([, value]) => value === '')).toEqual([]);
  return Object.fromEntries(entries);
}

const services = [
  ['edge', 'StatefulSet', edgeConfig],
  ['gateway', 'Deployment', gatewayConfig],
  ['balancer', 'Deployment', balancerConfig],
  ['console', 'Deployment', consoleConfig],
  ['api', 'Deployment', apiConfig],
] as const;

type Service = (typeof services)[number][0];

const podOf = async (rendering: Rendering, kind: string, service: Service): Promise<PodSpec> =>
  podsOf(await render(rendering), kind, `mesh-evenkeel-${service}`);

const withAll = [
  'console.enabled=true',
  'console.existingSecret=evenkeel-console',
  'api.enabled=true',
  'api.existingSecret=evenkeel-api',
];

const renderings: Readonly<Record<string, Rendering>> = {
  'default values': { set: withAll },
  'production values': { files: [production], set: withAll },
  'every setting of the chart': {
    set: [
      ...withAll,
      'api.webhooks=true',
      'api.replicas=2',
      'api.trustedHops=1',
      'api.settings.EVENKEEL_MAX_OPEN_REQUESTS=64',
      'console.hosts={console.example.com}',
      'console.trustedHops=1',
      'console.settings.EVENKEEL_LOG_LEVEL=debug',
      'routing=haproxy',
      'tls=false',
      'gateway.auth=jwt',
      'gateway.jwt.existingSecret=jwt',
      'ops.existingSecret=evenkeel-ops',
      'origins={https://www.example.com,https://app.example.com}',
      'gateway.jwt.issuer=https://login.example.com/',
      'gateway.jwt.audience=mesh',
      'version=7.1.0',
      'edge.reachabilityUrl=ws://front.live/ws',
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
      const env = environmentOf(await podOf(rendering, kind, service), `mesh-evenkeel-${service}-0`);
      const known: readonly string[] = variablesOf[service];
      expect(Object.keys(env).filter((name) => !known.includes(name))).toEqual([]);
      expect(() => loadConfig<unknown>(config, env)).not.toThrow();
    },
  );

  test.each(services)('%s gets secrets as files alone', async (service, kind, config) => {
    const pod = await podOf(rendering, kind, service);
    const names = pod.containers.flatMap(({ env = [] }) => env.map(({ name }) => name));
    const isSecret = describeConfig(config).filter((row) => row.isSecret);
    expect(isSecret.filter(({ variable }) => names.includes(variable))).toEqual([]);
  });

  test.each(services)('%s listens on the ports that its container names', async (service, kind, config) => {
    const pod = await podOf(rendering, kind, service);
    const { port, opsPort, opsHost } = loadConfig<{ port?: number; opsPort: number; opsHost: string }>(
      config,
      environmentOf(pod, 'mesh-evenkeel-edge-0'),
    );
    expect(pod.containers.flatMap(({ ports }) => ports.map(({ containerPort }) => containerPort))).toEqual(
      port === undefined ? [opsPort] : [port, opsPort],
    );
    expect(opsHost).toBe('0.0.0.0');
    expect(read('infra/docker/Dockerfile')).toContain(`EVENKEEL_OPS_PORT=${opsPort}`);
  });

  test('an edge is named after its pod, which is in the URL that it reports', async () => {
    const pod = await podOf(rendering, 'StatefulSet', 'edge');
    const config = loadConfig(edgeConfig, environmentOf(pod, 'mesh-evenkeel-edge-4'));
    expect(config.node).toBe('mesh-evenkeel-edge-4');
    const isByTicket = rendering.set?.includes('routing=haproxy') === true;
    expect(publicUrlOf(config, 8101)).toBe(
      isByTicket ? 'ws://mesh.example.com/ws' : 'wss://mesh.example.com/e/mesh-evenkeel-edge-4/ws',
    );
  });

  test('the URL that an edge reports is one that gateways and balancers take', async () => {
    const edge = loadConfig(
      edgeConfig,
      environmentOf(await podOf(rendering, 'StatefulSet', 'edge'), 'edge-0'),
    );
    for (const [service, config] of [
      ['gateway', gatewayConfig],
      ['balancer', balancerConfig],
    ] as const) {
      const env = environmentOf(await podOf(rendering, 'Deployment', service), service);
      const { nodeUrlPattern } = loadConfig<{ nodeUrlPattern?: string[] | undefined }>(config, env);
      const urls = new NodeUrls(nodeUrlPattern, () => undefined);
      expect(urls.takes({ node: edge.node, url: publicUrlOf(edge, 8101) })).toBe(true);
      expect(urls.takes({ node: edge.node, url: 'wss://elsewhere.example.com/ws' })).toBe(false);
    }
  });

  test('an edge has 35 s more than its drain before it is killed', async () => {
    const pod = await podOf(rendering, 'StatefulSet', 'edge');
    const { drainTimeoutMs } = loadConfig(edgeConfig, environmentOf(pod, 'mesh-evenkeel-edge-0'));
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drainTimeoutMs / 1_000 + 35);
  });

  test.each([
    ['gateway', 40],
    ['balancer', 35],
  ] as const)('%s has %i s before it is killed', async (service, seconds) => {
    const pod = await podOf(rendering, 'Deployment', service);
    expect(pod.terminationGracePeriodSeconds).toBe(seconds);
    expect(read('docs/deployment.md')).toContain('| gateway, balancer | 35 s |');
  });

  test.each(services)('%s runs a program of the image, probed where it answers', async (service, kind) => {
    const pod = await podOf(rendering, kind, service);
    expect(existsSync(join(root, 'services', service, 'src', 'main.ts'))).toBe(true);
    expect(
      pod.containers.map(({ command, startupProbe, readinessProbe, livenessProbe }) => ({
        command,
        probes: [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet),
      })),
    ).toEqual([
      {
        command: ['node', `services/${service}/dist/main.js`],
        probes: [
          { path: '/readyz', port: 'ops' },
          { path: '/readyz', port: 'ops' },
          { path: '/healthz', port: 'ops' },
        ],
      },
    ]);
  });

  test.each(services)('%s runs without any right that it does not need', async (service, kind) => {
    const pod = await podOf(rendering, kind, service);
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

test('a setting above a million is written in digits', async () => {
  const json = ['edge.settings={"EVENKEEL_MAX_BUFFERED_BYTES":10485760,"EVENKEEL_WEIGHT":1.5}'];
  const env = environmentOf(await podOf({ json }, 'StatefulSet', 'edge'), 'edge-0');
  expect(env).toMatchObject({ EVENKEEL_MAX_BUFFERED_BYTES: '10485760', EVENKEEL_WEIGHT: '1.5' });
});
