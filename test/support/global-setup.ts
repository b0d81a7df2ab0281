import type { PrivateBroker } from '@evenkeel/local';
import type { TestProject } from 'vitest/node';
import { startTestBroker } from './private-broker.js';
import { makeVhostPool, type VhostPool } from './vhost-pool.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The tests' own broker; see support/broker.ts. Of a cluster one of its nodes. */
    amqpUrl: string;
    /** All of its nodes. */
    amqpUrls: readonly string[];
    brokerVersion: string;
    brokerCtl: PrivateBroker['ctlCommand'];
    /** A folder; see support/vhost-pool.ts. */
    vhostPool: string;
  }
}

interface Shared {
  users: number;
  readonly broker: Promise<PrivateBroker>;
  readonly vhosts: VhostPool;
}

// Each project loads this module anew; what they share has to be outside of it.
const key = Symbol.for('evenkeel.test-broker');
const globals = globalThis as { [key]?: Shared };

/** One private broker for all projects of a run: booted by the first, stopped by the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = globals[key] ?? { users: 0, broker: start(), vhosts: makeVhostPool() };
  globals[key] = shared;
  shared.users++;
  const broker = await shared.broker;
  const urls = broker.nodes?.map(({ amqpUrl }) => amqpUrl) ?? [broker.amqpUrl];
  project.provide('amqpUrl', urls[0] ?? broker.amqpUrl);
  project.provide('amqpUrls', urls);
  project.provide('brokerVersion', broker.version);
  project.provide('brokerCtl', broker.ctlCommand);
  project.provide('vhostPool', shared.vhosts.folder);
  return async () => {
    shared.users--;
    if (shared.users > 0) return;
    delete globals[key];
    shared.vhosts.remove();
    await broker.stop();
  };
}

async function start(): Promise<PrivateBroker> {
  const broker = await startTestBroker(Number(process.env.EVENKEEL_TEST_BROKERS || 1));
  console.log(`Tests run on ${broker.description}`);
  return broker;
}
