import { redactUrl } from '@evenkeel/broker';
import { AddressError, brokerAddresses } from '@evenkeel/pace';

/** The addresses without their passwords; of what is none, nothing. For logs and error messages. */
export function withoutPassword(amqpUrl: string): string {
  const addresses = amqpAddresses(amqpUrl);
  return addresses instanceof AddressError
    ? '(not an amqp:// URL)'
    : addresses.map((address) => redactUrl(address)).join(',');
}

/** The addresses that it names, one or several separated by commas, or what is wrong with it. */
export function amqpAddresses(amqpUrl: string): string[] | AddressError {
  try {
    return brokerAddresses(amqpUrl).map(({ href }) => href);
  } catch (error) {
    if (error instanceof AddressError) return error;
    throw error;
  }
}
