import type { Mesh } from '@evenkeel/local';
import { createOperator, type PlanView } from 'evenkeel';
import { until } from '../fleet/until.js';
import { whenReady } from '../mesh/when-ready.js';
import type { MeshFault } from './mesh-fault.js';

const answerTimeoutMs = 20_000;
const middleTimeoutMs = 20_000;
const endTimeoutMs = 60_000;
/** The balancer is killed when this part of the plan is done. */
const killedFromPart = 0.1;

/** How many moves a second the balancer is allowed, so that its plan lasts until it is killed, and then some. */
export const planPerSecond = (sessions: number, edges: number): number =>
  Math.max(2, Math.ceil(sessions / edges / 8));

/** A plan that empties the first edge loses its balancer on the way; the balancer that comes back must end it. */
export function killInPlan(mesh: Mesh, amqpUrl: string): MeshFault {
  const [balancer] = mesh.balancers;
  const node = mesh.edges[0]?.node ?? '';
  let killed: PlanView | undefined;
  let ended: PlanView | undefined;
  const withOperator = async <Result>(
    act: (operator: Awaited<ReturnType<typeof createOperator>>) => Promise<Result>,
  ): Promise<Result> => {
    const operator = await createOperator({ amqpUrl });
    try {
      return await act(operator);
    } finally {
      await operator.close();
    }
  };
  return {
    isBalancers: true,
    strike: () =>
      withOperator(async (operator) => {
        await whenReady(answerTimeoutMs, () => operator.drain({ node }));
        const isInMiddle = await until(middleTimeoutMs, 50, async () => {
          const { plan } = await operator.status();
          if (!plan) return false;
          killed = plan;
          return (plan.done ?? 0) > 0 && (plan.done ?? 0) >= (plan.total ?? 0) * killedFromPart;
        });
        if (!isInMiddle)
          throw new Error(`the plan to empty ${node} did not get going: ${JSON.stringify(killed)}`);
        await balancer?.kill();
      }),
    lastsMs: 3_000,
    mend: async () => {
      await balancer?.start();
      await withOperator(async (operator) => {
        await until(endTimeoutMs, 100, async () => {
          const status = await operator.status().catch(() => undefined);
          ended = status?.history?.find(({ id }) => id === killed?.id);
          return ended !== undefined;
        });
        await whenReady(answerTimeoutMs, () => operator.uncordon({ node }));
      });
    },
    evidence: async () => {
      const { id, done = 0, total = 0 } = killed ?? {};
      const how = `the balancer ended by SIGKILL when ${done} of the ${total} moves of plan ${id} were done`;
      if (done >= total) throw new Error(`${how}: it was at its end`);
      if (ended?.state !== 'done') throw new Error(`${how}; then it did not end: ${JSON.stringify(ended)}`);
      return `${how}; it went on and ended after ${ended.done}`;
    },
  };
}
