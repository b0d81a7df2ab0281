/** Addresses looked at; a cluster has fewer brokers. */
const maxAddresses = 32;

/** A text that names no brokers. The message says which part of it is wrong, and shows no password. */
export class AddressError extends Error {
  readonly code = 'bad-address';

  constructor(message: string) {
    super(message);
    this.name = 'AddressError';
  }
}

/**
 * The brokers that a text names (`EVENKEEL_AMQP_URL`, `--amqp-url`): one address or several, separated by commas, in the order in
 * which they are tried. Settings and connections read it here alike. A comma of a password is written `%2C` only where
 * what follows would look like another address.
 * @throws AddressError
 */
export function brokerAddresses(text: string): [URL, ...URL[]] {
  // Before a scheme: `http://…` in the list is a wrong address, not the end of the one before it.
  const parts = text.split(/,(?=\s*[A-Za-z][A-Za-z0-9+.-]*:\/\/)/).map((part) => part.trim());
  if (parts.length > maxAddresses) {
    throw new AddressError(
      `${parts.length} broker addresses are too many; give one to ${maxAddresses}, separated by commas`,
    );
  }
  const [first, ...others] = parts.map((part, index) => {
    const url = URL.canParse(part) ? new URL(part) : undefined;
    const isAmqp = url?.protocol === 'amqp:' || url?.protocol === 'amqps:';
    // Without its slashes it would name no host: this machine.
    const isWhole = /^amqps?:\/\//i.test(part);
    if (url !== undefined && isAmqp && isWhole && !/[,\s]/.test(url.host)) return url;
    const which = parts.length === 1 ? 'the broker address' : `broker address ${index + 1}`;
    throw new AddressError(
      `${which} is not an AMQP URL; use amqp://user:password@host:5672, or amqps://, each complete`,
    );
  });
  if (first === undefined) throw new AddressError('there is no broker address');
  return [first, ...others];
}

/** A broker's address as it is named among others: `host:port`, without what is nobody's business. */
export function brokerName({ protocol, hostname, port }: URL): string {
  return `${hostname}:${port || (protocol === 'amqps:' ? 5671 : 5672)}`;
}

/** Whether {@link brokerAddresses} can read it. */
export function areBrokerAddresses(text: string): boolean {
  try {
    return brokerAddresses(text).length > 0;
  } catch {
    return false;
  }
}

/** Whether it names more than one, so that the broker may be a cluster. */
export const areSeveralBrokers = (text: string): boolean =>
  areBrokerAddresses(text) && brokerAddresses(text).length > 1;

/**
 * The same brokers in an order of chance, as a text: processes that are given one list spread over its brokers, also over those
 * that are left when one goes. A text that names none comes back as it is.
 */
export function shuffledAddresses(text: string, random: () => number): string {
  if (!areBrokerAddresses(text)) return text;
  const addresses = brokerAddresses(text).map(({ href }) => ({ href, rank: random() }));
  if (addresses.length === 1) return text;
  return addresses
    .sort((a, b) => a.rank - b.rank)
    .map(({ href }) => href)
    .join();
}
