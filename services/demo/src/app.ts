import { createPublisher, type Publisher, ServiceError } from '@evenkeel/publisher';
import { amqpTlsOf, type ServiceContext } from '@evenkeel/runtime';
import { createOperator, OperatorError, type OperatorOptions } from 'evenkeel';
import type { DemoConfig } from './config.js';
import { demoMetrics } from './metrics.js';
import { Orders } from './orders.js';
import { nextPrice } from './price.js';
import { publisherMetrics } from './publisher-metrics.js';

/**
 * An application service, as small as one can be that uses everything: directed events to users, a topic,
 * and requests of clients. It knows nothing of edges, sessions or moves.
 */
export function build(config: DemoConfig, { lifecycle, log, ops }: ServiceContext): void {
  const tls = amqpTlsOf(config);
  const orders = new Orders();
  let price = 100;
  let publisher: Publisher | undefined;
  let timer: NodeJS.Timeout | undefined;
  const metrics = demoMetrics(ops.metrics, { price: () => price });
  publisherMetrics(ops.metrics, () => publisher);

  ops.readiness('broker', () => publisher?.readiness() ?? 'not connected to RabbitMQ yet; the log says why');

  lifecycle.add('publisher', {
    start: async () => {
      publisher = await createPublisher({ amqpUrl: config.amqpUrl, ...(tls && { tls }), name: 'demo', log });
      // A page says hello every 20 s; whoever does gets orders.
      await publisher.serve('demo.hello', ({ user }) => {
        orders.see(user, performance.now());
        return { everyMs: config.everyMs };
      });
      await publisher.serve('demo.quote', () => ({ price }));
      await publisher.serve('demo.rebalance', () =>
        rebalance({ amqpUrl: config.operatorAmqpUrl ?? config.amqpUrl, ...(tls && { tls }) }),
      );
    },
    stop: () => publisher?.close(),
  });

  lifecycle.add('ticker', {
    start: () => {
      timer = setInterval(() => {
        price = nextPrice(price, Math.random);
        const published = [
          publisher?.toTopic('prices.demo', { price }),
          ...orders
            .next(performance.now())
            .map(({ user, order }) => publisher?.toUser(user, 'order.created', order)),
        ];
        const counted = Promise.all(published).then(() => metrics.published(published.length));
        counted.catch((error: unknown) => {
          metrics.failed();
          // The broker was away for longer than the publisher waits. Its numbers are void: nobody shall take
          // what was never published for lost.
          orders.renumber();
          log.warn({ err: error }, 'publishing failed');
        });
      }, config.everyMs);
    },
    stop: () => clearInterval(timer),
  });
}

/** What the page's button does: what an operator's `evenkeel rebalance` does. A refusal is the client's answer. */
async function rebalance(options: OperatorOptions): Promise<{ total: number; why: string | undefined }> {
  const operator = await createOperator(options);
  try {
    const { plan } = await operator.rebalance();
    return { total: plan?.total ?? 0, why: plan?.why };
  } catch (error) {
    if (error instanceof OperatorError) throw new ServiceError(error.code, error.message);
    throw error;
  } finally {
    await operator.close();
  }
}
