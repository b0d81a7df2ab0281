import { type BrokerChoice, type PrivateBroker, startPrivateBroker } from '@evenkeel/local';
import { runInTestcontainer } from './testcontainer.js';

/** A private broker, of the kind that `npm test -- --broker` names. */
export async function startTestBroker(): Promise<PrivateBroker> {
  const { EVENKEEL_TEST_BROKER: choice, EVENKEEL_TEST_BROKER_IMAGE: image } = process.env;
  return await startPrivateBroker({
    choice: (choice || 'auto') as BrokerChoice,
    ...(image ? { image } : {}),
    preferContainer: true,
    runContainer: runInTestcontainer,
  });
}
