import { type PrivateCluster, startCluster } from '@evenkeel/local';
import { afterAll, beforeAll } from 'vitest';

/** How long several nodes may take to boot, one after the other. */
const bootMs = 120_000;

/** Three nodes of RabbitMQ as one broker, for the tests of this file alone: made before the first, gone after the last. */
export function clusterForFile(size = 3): { readonly broker: PrivateCluster } {
  let cluster: PrivateCluster | undefined;
  beforeAll(async () => {
    cluster = await startCluster(size);
  }, bootMs);
  afterAll(() => cluster?.stop());
  return {
    get broker() {
      if (cluster === undefined) throw new Error('the cluster is not up yet');
      return cluster;
    },
  };
}
