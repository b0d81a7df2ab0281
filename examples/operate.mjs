// Shows how level the mesh is, and levels it: node examples/operate.mjs
// An argument is the broker's address, else it is where the mesh of `npm start` is.
import { createOperator, OperatorError } from 'evenkeel';
import { addressOf } from './address.mjs';

const amqpUrl = addressOf('operatorAmqpUrl', process.argv[2]);

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
