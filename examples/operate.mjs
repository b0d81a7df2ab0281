// Shows how level the mesh is, and levels it: node examples/operate.mjs
// An argument is the broker's address, else what `export $(npx evenkeel env)` has set.
import { createOperator, OperatorError } from 'evenkeel';

const [amqpUrl = process.env.EVENKEEL_OPERATOR_AMQP_URL] = process.argv.slice(2);

const operator = await createOperator({ amqpUrl });
try {
  const { nodes } = await operator.status();
  for (const { node, state, connections } of nodes) console.log(node, state, connections);
  const { plan } = await operator.rebalance();
  console.log(plan?.total ? `${plan.total} sessions move` : 'level already');
} catch (error) {
  // A refusal has the balancer's code; see docs/manage.md for all of them.
  if (!(error instanceof OperatorError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await operator.close();
}
