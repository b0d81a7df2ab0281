import { brokerAddresses } from '@evenkeel/pace';

/**
 * The user that a connection to this address logs in as, which RabbitMQ takes for a `user_id`; `guest` where it names none,
 * undefined where it is no address. Of several addresses, separated by commas, the first: all of them are one broker's.
 */
export function userOf(amqpUrl: string): string | undefined {
  try {
    return decodeURIComponent(brokerAddresses(amqpUrl)[0].username) || 'guest';
  } catch {
    return undefined;
  }
}
