import { randomUUID } from 'node:crypto';
import { Broker, BrokerError, type BrokerTls } from '@evenkeel/broker';
import { exchanges, toUid, userKey } from '@evenkeel/protocol';
import { OperatorError, operatorErrorCodes } from './errors.js';

/** How an event is published from the command line. */
export interface SendOptions {
  amqpUrl: string;
  tls?: BrokerTls | undefined;
  timeoutMs: number;
}

/**
 * Publishes one directed event as an application does.
 * @returns false when the user has no session that takes it.
 * @throws OperatorError `unreachable`, `no-balancer`, `forbidden`
 */
export async function sendEvent(
  { amqpUrl, tls, timeoutMs }: SendOptions,
  user: string,
  event: string,
  body: unknown,
): Promise<boolean> {
  let broker: Broker | undefined;
  try {
    broker = await Broker.connect({
      url: amqpUrl,
      ...(tls && { tls }),
      name: 'evenkeel send',
      attempts: 1,
      connectTimeoutMs: timeoutMs,
    });
    const key = userKey(toUid(user), event);
    const outcome = await broker
      .publisher({ timeoutMs })
      .publish(exchanges.events, key, JSON.stringify(body), {
        messageId: randomUUID(),
        timestamp: Math.floor(Date.now() / 1_000),
        contentType: 'application/json',
        mandatory: true,
      });
    return outcome === 'routed';
  } catch (error) {
    throw error instanceof BrokerError ? new OperatorError(codeOf(error), error.message, error) : error;
  } finally {
    await broker?.close();
  }
}

function codeOf({ code }: BrokerError): string {
  if (code === 'publish-refused') return operatorErrorCodes.forbidden;
  return code === 'no-exchange' ? operatorErrorCodes.noBalancer : operatorErrorCodes.unreachable;
}
