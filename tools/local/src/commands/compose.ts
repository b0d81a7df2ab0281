import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { appUser } from '@evenkeel/mesh/rights';
import { brokerUsers, urlOfUser } from '../broker/users.js';
import { merge } from '../env-file.js';
import { composeFile, root } from '../paths.js';
import { parseFlags, reportFailure } from './flags.js';

const help = `npm run compose:setup

Makes what docker-compose.yml needs and no repository has, for nobody but its owner to read:
  .env                            passwords of the broker's users, and the secret of the tickets
  .evenkeel/compose/definitions.json   RabbitMQ's users, rights and exchanges
  .evenkeel/compose.json          the addresses, for npx evenkeel and npm run smoke
Run again it keeps what there is.
`;

/** RabbitMQ as it is published to this machine. */
const published = 'amqp://127.0.0.1:5672';
const administrator = 'admin';
/** Sessions without end would fill the broker. */
const queueLimit = {
  component: 'vhost-limits',
  name: 'limits',
  vhost: '/',
  value: { 'max-queues': 200_000 },
};

/** Variables of docker-compose.yml, and whose password each holds. */
const passwords: Readonly<Record<string, string>> = {
  EVENKEEL_EDGE_PASSWORD: 'edge',
  EVENKEEL_GATEWAY_PASSWORD: 'gateway',
  EVENKEEL_BALANCER_PASSWORD: 'balancer',
  EVENKEEL_OPERATOR_PASSWORD: 'operator',
  EVENKEEL_DEMO_PASSWORD: appUser('demo'),
  EVENKEEL_ADMIN_PASSWORD: administrator,
};

/** `npm run compose:setup`. */
export async function run(args: readonly string[]): Promise<void> {
  try {
    if (parseFlags(args, { help: { type: 'boolean', default: false } }).help) process.stdout.write(help);
    else setUp();
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
}

function setUp(): void {
  const dir = join(dirname(composeFile), 'compose');
  mkdirSync(dir, { recursive: true });
  const users = brokerUsers(dir, administrator);
  const url = (user: string): string => urlOfUser(published, user, users.passwordOf(user));

  const definitions = { ...users.definitions(), policies: [], parameters: [queueLimit] };
  write(join(dir, 'definitions.json'), JSON.stringify(definitions, null, 2));
  write(
    composeFile,
    JSON.stringify(
      {
        amqpUrl: url(administrator),
        appAmqpUrl: url(appUser('shop')),
        operatorAmqpUrl: url('operator'),
        viewerAmqpUrl: url('viewer'),
        gateway: 'http://127.0.0.1:8080',
      },
      null,
      2,
    ),
  );
  const envFile = join(root, '.env');
  const before = existsSync(envFile) ? readFileSync(envFile, 'utf8') : '';
  const made = Object.fromEntries(
    Object.entries(passwords).map(([variable, user]) => [variable, users.passwordOf(user)]),
  );
  const secret = { EVENKEEL_SECRET: randomBytes(32).toString('base64url') };
  write(envFile, merge(before, { made, once: secret }).trimEnd());
  process.stdout.write(
    `Set up. docker compose up --build -d --wait starts the mesh; the management page takes ${administrator} and ` +
      'EVENKEEL_ADMIN_PASSWORD of .env.\n',
  );
}

const write = (file: string, text: string): void => writeFileSync(file, `${text}\n`, { mode: 0o600 });
