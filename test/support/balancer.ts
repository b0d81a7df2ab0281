import { freePort, Member } from '@evenkeel/local';
import type { EdgeMesh } from './edge.js';

/** A balancer that moves nobody by itself, until the mesh is closed. */
export async function balancerOf(mesh: EdgeMesh, amqpUrl = mesh.urlFor('balancer')): Promise<Member> {
  const balancer = new Member({
    role: 'balancer',
    name: 'balancer',
    opsPort: await freePort(),
    env: { EVENKEEL_AMQP_URL: amqpUrl, EVENKEEL_MODE: 'manual' },
    onLine: () => undefined,
    onUnexpectedEnd: () => undefined,
  });
  await balancer.start();
  mesh.defer(() => balancer.stop('SIGTERM', 3_000));
  return balancer;
}
