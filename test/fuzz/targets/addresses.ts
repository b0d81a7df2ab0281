import { redactUrl, userOf } from '@evenkeel/broker';
import {
  AddressError,
  areBrokerAddresses,
  areSeveralBrokers,
  brokerAddresses,
  brokerName,
  shuffledAddresses,
} from '@evenkeel/pace';
import { holds, type Target } from '../target.js';

/** EVENKEEL_AMQP_URL, and whatever else names brokers. */
export const addresses: Target = {
  name: 'addresses',
  about: 'addresses of brokers, as in EVENKEEL_AMQP_URL',
  maxBytes: 4_096,
  words: [
    ...[
      'amqp://',
      'amqps://',
      'http://',
      ',',
      ', ',
      '@',
      ':5672',
      ':5671',
      ':0',
      ':65536',
      '[::1]',
      '127.0.0.1',
    ],
    ...[
      'localhost',
      'user',
      'password',
      '/',
      '/%2f',
      '%2C',
      '?heartbeat=5',
      '#',
      'a.example',
      'ü.example',
      '\\',
    ],
  ],
  run(input) {
    const text = input.toString('utf8');
    const user = userOf(text);
    const urls = read(text);
    holds(areBrokerAddresses(text) === (urls !== undefined), 'one reader says what the other says', text);
    if (urls === undefined) {
      holds(user === undefined && !areSeveralBrokers(text), 'who has no address has no user', text);
      holds(shuffledAddresses(text, () => 0.5) === text, 'what is no address stays as it is', text);
      return;
    }
    holds(urls.length <= 32, 'there are no more than are looked at', urls.length);
    holds(areSeveralBrokers(text) === urls.length > 1, 'several are several', text);
    for (const url of urls) {
      holds(/^amqps?:$/.test(url.protocol), 'an address is AMQP', url.href);
      holds(!/[,\s]/.test(url.host), 'a host is one', url.host);
      holds(/:\d+$/.test(brokerName(url)), 'an address has a name', url.href);
      const { password } = new URL(redactUrl(url.href));
      holds(password === (url.password && '***'), 'no password is shown', redactUrl(url.href));
    }
    const same = (one: string, other: readonly URL[]): boolean =>
      (read(one) ?? []).map(({ href }) => href).join() === other.map(({ href }) => href).join();
    const joined = urls.map(({ href }) => href).join();
    holds(same(joined, urls), 'addresses that are put together are the same ones', { text, joined });
    const turned = shuffledAddresses(text, counting());
    const all = new Set((read(turned) ?? []).map(({ href }) => href));
    holds(
      urls.every(({ href }) => all.has(href)),
      'in another order they are the same ones',
      { text, turned },
    );
  },
};

function counting(): () => number {
  let n = 0;
  return () => {
    n += 1;
    return (n * 7_919) % 101;
  };
}

/** @returns undefined where it is none, and a message says so that shows nothing of a password */
function read(text: string): readonly URL[] | undefined {
  try {
    return brokerAddresses(text);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    const secrets = [...text.matchAll(/:([^:@/]{6,})@/g)].map(([, secret = '']) => secret);
    // The message has an example of its own.
    const isSaid = secrets.some((secret) => error.message.replace('user:password@host', '').includes(secret));
    holds(error.message.length < 300 && !isSaid, 'what is wrong is said without a secret', error.message);
    return undefined;
  }
}
