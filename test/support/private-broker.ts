import { type BrokerChoice, type PrivateBroker, startPrivateBroker } from '@evenkeel/local';
import { runInTestcontainer } from './testcontainer.js';

/** A private broker, of the kind that `npm test -- --broker` names; a cluster of several where `brokers` says so. */
export async function startTestBroker(brokers = 1): Promise<PrivateBroker> {
  const { EVENKEEL_TEST_BROKER: choice, EVENKEEL_TEST_BROKER_IMAGE: image } = process.env;
  return await startPrivateBroker({
    choice: (choice || 'auto') as BrokerChoice,
    ...(image ? { image } : {}),
    brokers,
    preferContainer: true,
    runContainer: runInTestcontainer,
  });
}
