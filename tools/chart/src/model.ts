import { z } from 'zod';
import type { Resource } from './resource.js';

/** Which package knows the resources of an API. */
const models: Readonly<Record<string, string>> = {
  v1: 'kubernetes-models/v1',
  'apps/v1': 'kubernetes-models/apps/v1',
  'policy/v1': 'kubernetes-models/policy/v1',
  'autoscaling/v2': 'kubernetes-models/autoscaling/v2',
  'networking.k8s.io/v1': 'kubernetes-models/networking.k8s.io/v1',
  'gateway.networking.k8s.io/v1': '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1',
  'networking.istio.io/v1beta1': '@kubernetes-models/istio/networking.istio.io/v1beta1',
  'security.istio.io/v1beta1': '@kubernetes-models/istio/security.istio.io/v1beta1',
  'monitoring.coreos.com/v1': '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
};

type Model = new (data: unknown) => { validate(): void };

/** What is wrong with a resource: what its model refuses, and the fields that its model does not know. */
export async function faultsOf(resource: Resource): Promise<string[]> {
  const who = `${resource.kind} ${resource.metadata.name}`;
  if (resource.apiVersion === 'rabbitmq.com/v1beta1') return faultsOfRabbitmq(resource, who);
  const path = models[resource.apiVersion];
  if (path === undefined) return [`${who}: no model of ${resource.apiVersion}`];
  const { [resource.kind]: Model } = (await import(path)) as Record<string, Model | undefined>;
  if (Model === undefined) return [`${who}: no model of this kind in ${resource.apiVersion}`];
  const model = new Model(resource);
  const looked = new Set<string>();
  const faults: string[] = [];
  try {
    model.validate.call(watched(model, '', looked));
  } catch (error) {
    faults.push(`${who}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const unknown = fieldsOf(resource, '').filter((field) => !looked.has(field));
  return [...faults, ...unknown.map((field) => `${who}: ${field} is no field that it has`)];
}

/**
 * A model looks at every field it knows and at no other: the validators of these packages take a misspelt optional field for
 * none, so what was not looked at is what they do not know.
 */
function watched<T extends object>(object: T, path: string, looked: Set<string>): T {
  return new Proxy(object, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof key === 'symbol') return value;
      const field = `${path}/${key}`;
      looked.add(field);
      return typeof value === 'object' && value !== null ? watched(value, field, looked) : value;
    },
  });
}

/** The paths of all fields and items in it. */
function fieldsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    `${path}/${key}`,
    ...fieldsOf(inner, `${path}/${key}`),
  ]);
}

const quantity = z.union([z.number(), z.string().regex(/^[0-9.]+([EPTGMk]i?|m)?$/)]);
const quantities = z.record(z.string(), quantity);

/** The fields of the RabbitMQ Cluster Operator's resource that the chart may set, after its reference; no package has them. */
const rabbitmqCluster = z.strictObject({
  replicas: z.int().min(1),
  image: z.string().optional(),
  persistence: z.strictObject({ storage: quantity, storageClassName: z.string().optional() }),
  resources: z.strictObject({ requests: quantities.optional(), limits: quantities.optional() }),
  rabbitmq: z.strictObject({ additionalConfig: z.string().max(2_000) }),
  override: z.strictObject({
    statefulSet: z.strictObject({
      spec: z.strictObject({
        template: z.strictObject({
          spec: z.strictObject({
            containers: z.array(
              z.strictObject({
                name: z.literal('rabbitmq'),
                volumeMounts: z.array(
                  z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean() }),
                ),
              }),
            ),
            volumes: z.array(
              z.strictObject({ name: z.string(), secret: z.strictObject({ secretName: z.string() }) }),
            ),
          }),
        }),
      }),
    }),
  }),
});

function faultsOfRabbitmq({ spec }: Resource, who: string): string[] {
  const parsed = rabbitmqCluster.safeParse(spec);
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${who}: ${path.join('/')}: ${message}`);
}
