import { BrokerError, NameError, PublisherError } from '@evenkeel/publisher';
import { Refusal } from '@evenkeel/runtime';

/** The answer to whoever asked for what has failed; what is no refusal then is a fault of ours. */
export function refusalOf(error: unknown): unknown {
  if (error instanceof NameError || error instanceof PublisherError)
    return new Refusal(400, 'bad-name', error.message);
  if (error instanceof BrokerError) {
    const message = `${error.message} It may have been published; repeat it with the same id.`;
    return new Refusal(503, 'unavailable', message, { 'retry-after': '1' });
  }
  return error;
}
