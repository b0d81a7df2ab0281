import { BrokerError } from '@evenkeel/broker';
import { errorCodes } from '@evenkeel/protocol';
import { errorFrame, laterFrame } from '../frame/frames.js';

const inAlarm = 'RabbitMQ is in an alarm and takes nothing; send it again later, with the same id';

export const notTakenMessage = 'the broker did not take it; send it again with the same id';

/** What a client is told of what the broker has not confirmed. `error`: why. */
export function notTakenFrame(id: string, error: unknown): string {
  return error instanceof BrokerError && error.code === 'publisher-blocked'
    ? laterFrame(id, inAlarm)
    : errorFrame(id, errorCodes.brokerUnavailable, notTakenMessage);
}
