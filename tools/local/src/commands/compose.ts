import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { appUser, type Definitions } from '@evenkeel/mesh/rights';
import { type BrokerUsers, brokerUsers, urlOfUser } from '../broker/users.js';
import { type EnvValues, merge } from '../env-file.js';
import { composeFile, root } from '../paths.js';
import { parseFlags, reportFailure, UsageError } from './flags.js';

const help = `npm run compose:setup [-- --brokers 3]

Makes what docker-compose.yml and compose.production.yml need and no repository has:
  .evenkeel/compose/        a folder for nobody but its owner: RabbitMQ's users, rights and exchanges, the addresses that
                            the services log in with, and the secrets of tickets and tokens, a file each
  .evenkeel/compose.json    the addresses, for npx evenkeel and npm run smoke
  .evenkeel/compose/api-key         which the HTTP API takes
  .evenkeel/compose/console-token   with which you log in to the console
  .env                      EVENKEEL_ADMIN_PASSWORD, of the administrator
With --brokers 3 for a RabbitMQ cluster: every address with its three nodes, and in .env the profile \`cluster\` and what its nodes know
each other by. Run again it keeps what there is, but the number of brokers, which is 1 unless it is said.
`;

/** The containers of RabbitMQ; the second and third are there with the profile of a cluster alone. */
export const brokers = ['rabbitmq', 'rabbitmq-2', 'rabbitmq-3'] as const;
const administrator = 'admin';
const profilesName = 'COMPOSE_PROFILES';
const clusterProfile = 'cluster';
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
    const flags = parseFlags(args, {
      help: { type: 'boolean', default: false },
      brokers: { type: 'string', default: '1' },
    });
    if (flags.help) process.stdout.write(help);
    else setUp(countOf(flags.brokers));
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
}

/** @throws UsageError */
function countOf(text: string): number {
  if (text !== '1' && text !== '3') throw new UsageError(`--brokers takes 1 or 3, not "${text}".`);
  return Number(text);
}

function setUp(count: number): void {
  const dir = join(dirname(composeFile), 'compose');
  mkdirSync(dir, { recursive: true });
  // The folder is for nobody else; in the containers the files are read by other users.
  chmodSync(dir, 0o700);
  const broker = brokerUsers(dir, administrator);
  const isCluster = count > 1;
  const urlAt = (address: string, user: string): string => urlOfUser(address, user, broker.passwordOf(user));
  const inside = (user: string): string =>
    brokers
      .slice(0, count)
      .map((name) => urlAt(`amqp://${name}:5672`, user))
      .join();
  const envFile = join(root, '.env');
  const before = existsSync(envFile) ? readFileSync(envFile, 'utf8') : '';
  const port = (name: string, usual: number) =>
    new RegExp(`^EVENKEEL_${name}_PORT=(\\d+)`, 'm').exec(before)?.[1] ?? usual;
  const url = (user: string): string => urlAt(`amqp://127.0.0.1:${port('AMQP', 5672)}`, user);

  const definitions = { ...definedBy(broker, isCluster), policies: [], parameters: [queueLimit] };
  write(join(dir, 'definitions.json'), JSON.stringify(definitions, null, 2), readable);
  for (const [service, user] of Object.entries(users)) {
    write(join(dir, `${service}-amqp-url`), inside(user), readable);
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
  const administration = { EVENKEEL_ADMIN_PASSWORD: broker.passwordOf(administrator) };
  const { made: clustering, once } = clusterValues(before, isCluster);
  write(envFile, merge(before, { made: { ...administration, ...clustering }, once }), owned);
  process.stdout.write(
    `Set up. docker compose up --build -d --wait starts the mesh; the management page takes ${administrator} and ` +
      'EVENKEEL_ADMIN_PASSWORD of .env, the console the token in .evenkeel/compose/console-token.\n',
  );
}

/** What makes one broker or three of the containers. Mesh queues come later: a quorum queue lives where there are nodes when it is made. */
function definedBy(broker: BrokerUsers, isCluster: boolean): Definitions {
  const all = broker.definitions(isCluster);
  return isCluster ? { ...all, queues: [], bindings: [] } : all;
}

/** The same in `.env`. A file without these values is one broker's. */
export function clusterValues(before: string, isCluster: boolean): EnvValues {
  const there = new RegExp(`^${profilesName}=(.*)$`, 'm').exec(before)?.[1] ?? '';
  const profiles = there.split(',').filter(Boolean);
  if (!isCluster && !profiles.includes(clusterProfile)) return { made: {}, once: {} };
  const others = profiles.filter((profile) => profile !== clusterProfile);
  return {
    made: {
      [profilesName]: (isCluster ? [...others, clusterProfile] : others).join(),
      EVENKEEL_BROKER_CONF: `./infra/rabbitmq/${isCluster ? 'cluster' : 'alone'}.conf`,
    },
    once: { RABBITMQ_ERLANG_COOKIE: randomBytes(18).toString('hex') },
  };
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
