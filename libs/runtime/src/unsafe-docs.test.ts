import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasExamplePassword, wrongSecret } from './unsafe.js';

const root = join(import.meta.dirname, '..', '..', '..');
/** Whatever people copy settings from. */
const copied = ['*.md', '*.yml', '*.yaml', 'examples/*', 'infra/*', 'docs/*', 'services/*/public/*'];
const pictures = /\.(png|gif|svg|ico)$/;

/** A value as it is, and not where it comes from: `$NAME`, `{ file: … }`, `…`, `/run/secrets/…`, a call. */
const isLiteral = (value: string): boolean => !/[$<{(…]|^\/|\.\.\.|^process\.env/.test(value);

const inJson = /["']?\w*(?:secret|password|token)["']?\s*[:=]\s*(["'])(.{8,}?)\1/gi;
const inEnvironment = /\bEVENKEEL_\w*(?:SECRET|TOKENS?|KEYS?|PASSWORD)\s*[=:]\s*["']?([^\s"'`|,;)]{8,})/g;
const inAddress = /\b(?:amqps?|https?):\/\/[^\s:@/"'`]+:([^\s@/"'`]+)@[^\s"'`,)]+/g;
const inEntry = /\b[\w-]+:[\w+]+:[0-9a-f]{64}\b/g;

/** Secrets that a document prints. */
function printedIn(text: string): { secrets: string[]; addresses: string[]; entries: string[] } {
  const secrets = [
    ...[...text.matchAll(inJson)].map(([, , value = '']) => value),
    ...[...text.matchAll(inEnvironment)].map(([, value = '']) => value),
  ];
  const addresses = [...text.matchAll(inAddress)].filter(([, password = '']) => isLiteral(password));
  return {
    secrets: secrets.filter(isLiteral),
    addresses: addresses.map(([address]) => address),
    entries: [...text.matchAll(inEntry)].map(([entry]) => entry),
  };
}

it('every secret that a document, an example or a compose file prints is refused in production', () => {
  const files = execFileSync('git', ['ls-files', ...copied], { cwd: root, encoding: 'utf8' }).split('\n');
  const printed = files
    .filter((file) => file !== '' && !pictures.test(file))
    .map((file) => printedIn(readFileSync(join(root, file), 'utf8')));
  const secrets = new Set(printed.flatMap((each) => each.secrets));
  const addresses = new Set(printed.flatMap((each) => each.addresses));
  // That it finds them at all.
  expect([...secrets]).toEqual(
    expect.arrayContaining([
      'at-least-16-characters',
      'at least 16 characters, as openssl rand -base64 32 makes',
    ]),
  );
  expect([...addresses]).toEqual(expect.arrayContaining(['amqp://app-shop:PASSWORD@rabbitmq:5672']));
  expect([...secrets].filter((secret) => wrongSecret(secret) === undefined)).toEqual([]);
  const elsewhere = [...addresses].map((address) => address.replace(/@127\.0\.0\.1|@localhost/, '@rabbitmq'));
  expect(elsewhere.filter((address) => !hasExamplePassword(address, true))).toEqual([]);
  // The hash of a key that is printed would be as good as that.
  expect(printed.flatMap((each) => each.entries)).toEqual([]);
});
