import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { appUser } from '@evenkeel/mesh/rights';
import { brokerUsers, urlOfUser } from '../broker/users.js';
import { merge } from '../env-file.js';
import { composeFile, root } from '../paths.js';
import { parseFlags, reportFailure } from './flags.js';

const help = `npm run compose:setup

Makes what docker-compose.yml and compose.production.yml need and no repository has:
  .evenkeel/compose/        a folder for nobody but its owner: RabbitMQ's users, rights and exchanges, the addresses that
                            the services log in with, and the secrets of tickets and tokens, a file each
  .evenkeel/compose.json    the addresses, for npx evenkeel and npm run smoke
  .evenkeel/compose/api-key         which the HTTP API takes
  .evenkeel/compose/console-token   with which you log in to the console
  .env                      EVENKEEL_ADMIN_PASSWORD, of the administrator
Run again it keeps what there is.
`;

/** RabbitMQ as the containers reach it. */
const inside = 'amqp://rabbitmq:5672';
const administrator = 'admin';
/** Sessions without end would fill the broker. */
const queueLimit = {
  component: 'vhost-limits',
  name: 'limits',
  vhost: '/',
  value: { 'max-queues': 200_000 },
};

/** The services by the users that they log in as; the address of each is a file, `<service>-amqp-url`. */
const users: Readonly<Record<string, string>> = {
  edge: 'edge',
  gateway: 'gateway',
  balancer: 'balancer',
  console: 'console',
  api: 'api',
  operator: 'operator',
  demo: appUser('demo'),
};

const made = ['ticket-secret', 'jwt-secret', 'ops-token'];

/** What compose files may name as a secret. */
export const secretFiles: readonly string[] = [
  'definitions.json',
  ...Object.keys(users).map((service) => `${service}-amqp-url`),
  ...made,
  'console-tokens',
  'api-keys',
];

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
  // The folder is for nobody else; in the containers the files are read by other users.
  chmodSync(dir, 0o700);
  const broker = brokerUsers(dir, administrator);
  const urlAt = (address: string, user: string): string => urlOfUser(address, user, broker.passwordOf(user));
  const envFile = join(root, '.env');
  const before = existsSync(envFile) ? readFileSync(envFile, 'utf8') : '';
  const port = (name: string, usual: number) =>
    new RegExp(`^EVENKEEL_${name}_PORT=(\\d+)`, 'm').exec(before)?.[1] ?? usual;
  const url = (user: string): string => urlAt(`amqp://127.0.0.1:${port('AMQP', 5672)}`, user);

  const definitions = { ...broker.definitions(), policies: [], parameters: [queueLimit] };
  write(join(dir, 'definitions.json'), JSON.stringify(definitions, null, 2), readable);
  for (const [service, user] of Object.entries(users)) {
    write(join(dir, `${service}-amqp-url`), urlAt(inside, user), readable);
  }
  for (const secret of made) {
    const file = join(dir, secret);
    if (!existsSync(file)) write(file, randomBytes(32).toString('base64url'), readable);
  }
  makeConsoleToken(dir);
  const key = makeApiKey(dir);
  write(
    composeFile,
    JSON.stringify(
      {
        amqpUrl: url(administrator),
        appAmqpUrl: url(appUser('shop')),
        operatorAmqpUrl: url('operator'),
        viewerAmqpUrl: url('viewer'),
        gateway: `http://127.0.0.1:${port('GATEWAY', 8080)}`,
        console: `http://127.0.0.1:${port('CONSOLE', 8090)}`,
        api: { url: `http://127.0.0.1:${port('API', 8070)}`, key },
      },
      null,
      2,
    ),
    owned,
  );
  const admin = { EVENKEEL_ADMIN_PASSWORD: broker.passwordOf(administrator) };
  write(envFile, merge(before, { made: admin, once: {} }), owned);
  process.stdout.write(
    `Set up. docker compose up --build -d --wait starts the mesh; the management page takes ${administrator} and ` +
      'EVENKEEL_ADMIN_PASSWORD of .env, the console the token in .evenkeel/compose/console-token.\n',
  );
}

/** The token of whoever sets up, and the list of those that the console takes, which is theirs to extend. */
function makeConsoleToken(dir: string): void {
  const [file, list] = [join(dir, 'console-token'), join(dir, 'console-tokens')];
  if (existsSync(list)) return;
  const token = randomBytes(32).toString('base64url');
  write(file, token, owned);
  write(list, `admin:operate:${createHash('sha256').update(token).digest('hex')}`, readable);
}

/** The key of whoever sets up, and the list of those that the HTTP API takes, which is theirs to extend. */
function makeApiKey(dir: string): string {
  const [file, list] = [join(dir, 'api-key'), join(dir, 'api-keys')];
  if (!existsSync(list)) {
    const key = randomBytes(32).toString('base64url');
    write(file, key, owned);
    const hash = createHash('sha256').update(key).digest('hex');
    write(list, `admin:publish+read+sessions+request:${hash}`, readable);
  }
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

const owned = 0o600;
const readable = 0o644;

function write(file: string, text: string, mode: number): void {
  writeFileSync(file, text, { mode });
  // The mode above is for new files alone.
  chmodSync(file, mode);
}
