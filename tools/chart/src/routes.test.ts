import { describe, expect, test } from 'vitest';
import { render } from './helm.js';
import { ofKind, type Resource, type ServiceSpec, specOf } from './resource.js';

const names = Array.from({ length: 6 }, (_, index) => `mesh-evenkeel-edge-${index}`);
const domain = 'live.svc.cluster.local';

test('each edge that there may be has a Service of its own, which leads to it before it is ready and while it drains', async () => {
  const resources = await render();
  for (const name of names) {
    const { publishNotReadyAddresses, selector, ports } = specOf<ServiceSpec>(resources, 'Service', name);
    expect(publishNotReadyAddresses).toBe(true);
    expect(selector['statefulset.kubernetes.io/pod-name']).toBe(name);
    expect(ports).toEqual([
      { name: 'http-ws', port: 8101, targetPort: 'ws', appProtocol: 'kubernetes.io/ws' },
    ]);
  }
});

test('every port that a Service leads to is one of the pods that it selects', async () => {
  const resources = await render({ set: ['routing=haproxy'] });
  const pods = resources
    .filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment')
    .map(templateOf);
  for (const service of ofKind(resources, 'Service')) {
    const { selector, ports } = service.spec as ServiceSpec;
    const { 'statefulset.kubernetes.io/pod-name': _, ...wanted } = selector;
    const selected = pods.filter(({ labels }) =>
      Object.entries(wanted).every(([key, value]) => labels[key] === value),
    );
    expect(selected).toHaveLength(1);
    for (const { targetPort } of ports) expect(selected[0]?.ports).toContain(targetPort);
  }
});

interface Template {
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
      readonly containers: readonly { readonly ports: readonly { readonly name: string }[] }[];
    };
  };
}

function templateOf({ spec }: Resource): { labels: Readonly<Record<string, string>>; ports: string[] } {
  const { metadata, spec: pod } = (spec as Template).template;
  return {
    labels: metadata.labels,
    ports: pod.containers.flatMap(({ ports }) => ports.map(({ name }) => name)),
  };
}

describe('a path of each edge leads to that edge, and /gateway to the gateways', () => {
  test('by an Ingress', async () => {
    const [ingress] = ofKind(await render({ set: ['routing=ingress'] }), 'Ingress');
    const backend = (name: string, port: string) => ({ service: { name, port: { name: port } } });
    expect(ingress?.spec).toMatchObject({
      ingressClassName: 'nginx',
      tls: [{ hosts: ['mesh.example.com'] }],
      rules: [
        {
          host: 'mesh.example.com',
          http: {
            paths: [
              { path: '/gateway', pathType: 'Exact', backend: backend('mesh-evenkeel-gateway', 'http') },
              ...names.map((name) => ({
                path: `/e/${name}/`,
                pathType: 'Prefix',
                backend: backend(name, 'http-ws'),
              })),
            ],
          },
        },
      ],
    });
  });

  test('by a route of the Gateway API each, without a limit of time', async () => {
    const routes = ofKind(await render({ set: ['routing=gatewayApi'] }), 'HTTPRoute');
    const common = { parentRefs: [{ name: 'public' }], hostnames: ['mesh.example.com'] };
    expect(Object.fromEntries(routes.map(({ metadata, spec }) => [metadata.name, spec]))).toEqual({
      'mesh-evenkeel-gateway': {
        ...common,
        rules: [
          {
            matches: [{ path: { type: 'Exact', value: '/gateway' } }],
            backendRefs: [{ name: 'mesh-evenkeel-gateway', port: 8080 }],
          },
        ],
      },
      ...Object.fromEntries(
        names.map((name) => [
          name,
          {
            ...common,
            rules: [
              {
                matches: [{ path: { type: 'PathPrefix', value: `/e/${name}` } }],
                timeouts: { request: '0s' },
                backendRefs: [{ name, port: 8101 }],
              },
            ],
          },
        ]),
      ),
    });
  });

  test('by Istio, without a limit of time or a second try, encrypted inside the mesh', async () => {
    const resources = await render({ set: ['routing=istio'] });
    const [service] = ofKind(resources, 'VirtualService');
    expect(service?.spec).toEqual({
      hosts: ['mesh.example.com'],
      gateways: ['public'],
      http: [
        ...names.map((name) => ({
          match: [{ uri: { prefix: `/e/${name}/` } }],
          timeout: '0s',
          retries: { attempts: 0 },
          route: [{ destination: { host: `${name}.${domain}`, port: { number: 8101 } } }],
        })),
        {
          match: [{ uri: { exact: '/gateway' } }],
          retries: { attempts: 0 },
          route: [{ destination: { host: `mesh-evenkeel-gateway.${domain}`, port: { number: 8080 } } }],
        },
      ],
    });
    const rules = ofKind(resources, 'DestinationRule').map(({ spec }) => spec);
    expect(rules).toEqual(
      ['mesh-evenkeel-gateway', ...names].map((name) => ({
        host: `${name}.${domain}`,
        trafficPolicy: {
          tls: { mode: 'ISTIO_MUTUAL' },
          connectionPool: { tcp: { tcpKeepalive: { time: '60s' } } },
        },
      })),
    );
  });
});

test("Istio's sidecar of an edge stays for as long as the edge drains", async () => {
  const resources = await render({ set: ['routing=istio', 'edge.drainSeconds=90'] });
  const { template } = specOf<{
    template: {
      metadata: { annotations: Record<string, string> };
      spec: { terminationGracePeriodSeconds: number };
    };
  }>(resources, 'StatefulSet', 'mesh-evenkeel-edge');
  const config = JSON.parse(template.metadata.annotations['proxy.istio.io/config'] ?? '{}') as {
    terminationDrainDuration: string;
  };
  const drainSeconds = Number.parseInt(config.terminationDrainDuration, 10);
  expect(drainSeconds).toBeGreaterThanOrEqual(90);
  expect(drainSeconds).toBeLessThan(template.spec.terminationGracePeriodSeconds);
});

test('HAProxy has a backend for the node of each ticket, and others for everything else', async () => {
  const [map] = ofKind(await render({ set: ['routing=haproxy'] }), 'ConfigMap');
  const config = map?.data?.['haproxy.cfg'] ?? '';
  expect(config).toContain('set-var(txn.node) url_param(ticket),field(1,.)');
  for (const name of names) {
    expect(config).toContain(`backend node-${name}\n  server ${name} ${name}.${domain}:8101\n`);
  }
  expect(config).toContain('default_backend edges');
});

test('scaling in takes one edge at a time, no sooner than it has drained', async () => {
  const resources = await render({ set: ['autoscaling.enabled=true', 'edge.drainSeconds=300'] });
  const { behavior, ...scaler } = specOf<{
    behavior: { scaleDown: { policies: { type: string; value: number; periodSeconds: number }[] } };
  }>(resources, 'HorizontalPodAutoscaler', 'mesh-evenkeel-edge');
  expect(behavior.scaleDown.policies).toEqual([{ type: 'Pods', value: 1, periodSeconds: 360 }]);
  expect(scaler).toMatchObject({ minReplicas: 3, maxReplicas: 6 });
  expect(specOf(resources, 'StatefulSet', 'mesh-evenkeel-edge')).not.toHaveProperty('replicas');
});

test('the longest release has names that fit, and two releases share none', async () => {
  const long = `a-release-with-a-name-as-long-as-helm-will-take-in-full`.slice(0, 53);
  const set = ['routing=haproxy', 'networkPolicy.enabled=true', 'edge.maxReplicas=1000'];
  const [one, other] = await Promise.all(
    [long, 'mesh'].map(async (release) =>
      (await render({ release, set })).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ),
  );
  const names = one?.map((name) => name.split(' ')[1] ?? '') ?? [];
  expect(names.filter((name) => !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name))).toEqual([]);
  expect(names).toContain('a-release-with-a-name-as-long-a-evenkeel-edge-999');
  expect(one?.filter((name) => other?.includes(name))).toEqual([]);
});
