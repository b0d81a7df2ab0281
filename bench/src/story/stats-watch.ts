import { randomBytes } from 'node:crypto';
import { Broker } from '@evenkeel/broker';
import { exchanges, type NodeStats, nodeStats } from '@evenkeel/protocol';

export interface StatsWatch {
  /** What came since the last call. */
  take(): NodeStats[];
  close(): Promise<void>;
}

const kept = 10_000;

/** Listens to the statistics that every edge publishes each second; keeps the newest 10,000. */
export async function watchStats(amqpUrl: string): Promise<StatsWatch> {
  const broker = await Broker.connect({ url: amqpUrl, name: 'stats watch', attempts: 3 });
  const queue = `story.${randomBytes(9).toString('base64url')}`;
  await broker.declare({
    queues: [{ name: queue, exclusive: true, durable: false, autoDelete: true }],
    bindings: [{ queue, exchange: exchanges.stats, key: 'stats.*' }],
  });
  let reports: NodeStats[] = [];
  await broker.consumers({ channels: 1 }).consume(queue, {
    exclusive: true,
    onDelivery: (delivery) => {
      delivery.ack();
      const report = nodeStats.safeParse(JSON.parse(delivery.body.toString('utf8')));
      if (report.success && reports.length < kept) reports.push(report.data);
    },
  });
  return {
    take() {
      const taken = reports;
      reports = [];
      return taken;
    },
    close: () => broker.close(),
  };
}
