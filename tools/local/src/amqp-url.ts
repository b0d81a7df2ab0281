/** The URL with its password replaced, for logs and error messages. */
export function withoutPassword(amqpUrl: string): string {
  const url = parseAmqpUrl(amqpUrl);
  if (url === undefined) return '(not an amqp:// URL)';
  if (url.password !== '') url.password = '***';
  return url.href;
}

/** The URL, or `undefined` when it is not an `amqp:` or `amqps:` one. */
export function parseAmqpUrl(amqpUrl: string): URL | undefined {
  if (!URL.canParse(amqpUrl)) return undefined;
  const url = new URL(amqpUrl);
  return url.protocol === 'amqp:' || url.protocol === 'amqps:' ? url : undefined;
}
