/** The URL with its password replaced, for logs and error messages. */
export function withoutPassword(amqpUrl: string): string {
  const url = parseAmqpUrl(amqpUrl);
  if (url === undefined) return '(not an amqp:// URL)';
  if (url.password !== '') url.password = '***';
  return url.href;
}

/** The URL, or `undefined` when it is not an `amqp:` or `amqps:` one, or a list of them: a mesh on one machine has one broker. */
export function parseAmqpUrl(amqpUrl: string): URL | undefined {
  if (!URL.canParse(amqpUrl)) return undefined;
  const url = new URL(amqpUrl);
  const isOne = !url.host.includes(',') && !amqpUrl.includes(',amqp');
  return isOne && (url.protocol === 'amqp:' || url.protocol === 'amqps:') ? url : undefined;
}
