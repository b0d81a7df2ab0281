import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../paths.js';

/** What is asked of the balancer here; the operator package has more. */
export interface Operate {
  drain(options: { nodes: string[] }): Promise<unknown>;
  uncordon(options: { nodes: string[] }): Promise<unknown>;
}

interface OperatorModule {
  createOperator(options: { amqpUrl: string }): Promise<Operate & { close(): Promise<void> }>;
}

/**
 * Connects an operator, lets it do `work`, disconnects. The package is loaded by its file, when it is first needed: this
 * tooling is compiled before it, so as to compile it.
 */
export async function operate<T>(amqpUrl: string, work: (operator: Operate) => Promise<T>): Promise<T> {
  const file = join(root, 'packages', 'operator', 'dist', 'index.js');
  const { createOperator } = (await import(pathToFileURL(file).href)) as OperatorModule;
  const operator = await createOperator({ amqpUrl });
  try {
    return await work(operator);
  } finally {
    await operator.close();
  }
}
