import { randomBytes } from 'node:crypto';
import { appUser, edgeUser, type Rights, rightsOf } from '@evenkeel/mesh/rights';
import { brokerAddresses } from '@evenkeel/pace';
import { fetchWithin } from '@evenkeel/runtime';
import type { Command } from 'commander';
import { z } from 'zod';
import { OperatorError } from '../errors.js';
import { askLocal } from './local.js';
import { resolveAmqpUrl } from './target.js';
import type { Terminal } from './terminal.js';

const timeoutMs = 10_000;
const maxBytes = 1_048_576;

interface BrokerUserOptions {
  app?: boolean;
  managementUrl?: string;
  amqpUrl?: string;
  json?: boolean;
}

const made = z.looseObject({ user: z.string(), url: z.string() });
type Made = z.infer<typeof made>;

/** `evenkeel broker-user NODE`: a user of the broker for one edge alone, and its address. */
export function addBrokerUserCommand(program: Command, terminal: Terminal): void {
  program
    .command('broker-user')
    .description('make a broker user for one edge, which can report as no other; prints its address')
    .argument('<node>', 'name of the edge (EVENKEEL_NODE)')
    .option('--app', 'for the application of this name instead')
    .option(
      '--management-url <url>',
      'RabbitMQ\'s management API, as an administrator, e.g. http://admin:password@host:15672; else the broker of the "npm start" that runs here',
    )
    .option('--amqp-url <url>', "RabbitMQ's addresses, whose hosts and virtual host the printed ones have")
    .option('--json', 'the answer as JSON, alone on standard output')
    .action(async (name: string, options: BrokerUserOptions) => {
      const user = options.app === true ? appUser(name) : edgeUser(name);
      const rights = rightsOf(user);
      const answer =
        options.managementUrl === undefined
          ? made.parse(await askLocal('broker-user', { user }))
          : await makeByManagement(options.managementUrl, resolveAmqpUrl(options.amqpUrl), user, rights);
      terminal.out(`${options.json === true ? JSON.stringify({ ok: true, ...answer }) : answer.url}\n`);
    });
}

/**
 * Makes the user over RabbitMQ's management API, or gives one that is there a new password and its rights.
 * The answer has every address of `amqpUrl`, each as this user.
 * @throws OperatorError `management-refused`, `management-unreachable`; AddressError
 */
export async function makeByManagement(
  managementUrl: string,
  amqpUrl: string,
  user: string,
  { topics, ...rights }: Rights,
): Promise<Made> {
  const addresses = brokerAddresses(amqpUrl);
  const vhost = decodeURIComponent(addresses[0].pathname.slice(1)) || '/';
  const password = randomBytes(18).toString('base64url');
  const of = `${encodeURIComponent(vhost)}/${encodeURIComponent(user)}`;
  await put(managementUrl, `/api/users/${encodeURIComponent(user)}`, { password, tags: '' });
  for (const topic of topics) await put(managementUrl, `/api/topic-permissions/${of}`, topic);
  // Last: until then it can do nothing.
  await put(managementUrl, `/api/permissions/${of}`, rights);
  for (const address of addresses) {
    address.username = user;
    address.password = password;
  }
  return { user, url: addresses.map(({ href }) => href).join() };
}

async function put(managementUrl: string, path: string, body: object): Promise<void> {
  const base = new URL(managementUrl);
  const credentials = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`;
  const prefix = base.pathname.replace(/\/+$/, '');
  let response: Response;
  try {
    const headers = {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/json',
    };
    const init = { method: 'PUT', headers, body: JSON.stringify(body) };
    ({ response } = await fetchWithin(`${base.origin}${prefix}${path}`, init, { timeoutMs, maxBytes }));
  } catch (cause) {
    throw new OperatorError('management-unreachable', `${base.origin} does not answer`, cause);
  }
  if (response.ok) return;
  throw new OperatorError(
    'management-refused',
    `${base.origin} answers ${response.status} to PUT ${path}; check user, password and that it is an administrator`,
  );
}
