import {
  type brokerChoice,
  type Mesh,
  type PrivateBroker,
  startMesh,
  startPrivateBroker,
} from '@evenkeel/local';
import { topicName } from '../fleet/topic-load.js';

/** The topic whose cost is measured. */
export const topic = topicName(0);
const [namespace = ''] = topic.split('.');

export interface TopicMeshOptions {
  readonly edges: number;
  readonly broker: ReturnType<typeof brokerChoice>;
  readonly say: (text: string) => void;
  readonly atEnd: (cleanUp: () => Promise<unknown>) => void;
}

/** A broker and a mesh in which nobody is moved, and this is the rule for the topic. */
export async function startTopicMesh(
  rule: object,
  { edges, broker: choice, atEnd }: TopicMeshOptions,
): Promise<{ readonly mesh: Mesh; readonly broker: PrivateBroker }> {
  const broker = await startPrivateBroker({ choice });
  atEnd(() => broker.stop());
  const namespaces = { [namespace]: { subscribe: 'anyone', ...rule } };
  const mesh = await startMesh({
    edges,
    amqpUrl: broker.amqpUrl,
    urlFor: broker.urlFor,
    env: {
      EVENKEEL_MODE: 'manual',
      EVENKEEL_LOG_LEVEL: 'warn',
      EVENKEEL_NAMESPACES: JSON.stringify({ namespaces }),
    },
  });
  atEnd(() => mesh.stop());
  return { mesh, broker };
}
