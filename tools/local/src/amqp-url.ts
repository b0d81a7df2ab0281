import { redactUrl } from '@evenkeel/broker';

/** The URL without its password; of what is none, nothing. For logs and error messages. */
export function withoutPassword(amqpUrl: string): string {
  return parseAmqpUrl(amqpUrl) === undefined ? '(not an amqp:// URL)' : redactUrl(amqpUrl);
}

/** The URL, or `undefined` when it is not an `amqp:` or `amqps:` one, or a list of them: a mesh on one machine has one broker. */
export function parseAmqpUrl(amqpUrl: string): URL | undefined {
  if (!URL.canParse(amqpUrl)) return undefined;
  const url = new URL(amqpUrl);
  const isOne = !url.host.includes(',') && !amqpUrl.includes(',amqp');
  return isOne && (url.protocol === 'amqp:' || url.protocol === 'amqps:') ? url : undefined;
}
