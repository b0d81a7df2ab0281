import { AddressError } from '@evenkeel/pace';
import { amqpAddresses, withoutPassword } from '../amqp-url.js';
import { canInstallPackages, installPackages } from '../apt.js';
import { Failure } from '../failure.js';
import type { PrivateBroker } from './broker.js';
import { startCluster } from './cluster.js';
import { defaultBrokerImage, findContainerEngine, hasImage, startContainerBroker } from './container.js';
import { handshake } from './handshake.js';
import { findInstalledBroker, startInstalledBroker } from './installed.js';

/** Where a private broker may come from: `local` is an installed (or installable) `rabbitmq-server`. */
export type BrokerChoice = 'auto' | 'container' | 'local';

export interface PrivateBrokerOptions {
  /** Default `auto`: an installed RabbitMQ, else a container engine, else apt-get as root. */
  readonly choice?: BrokerChoice;
  /** The image for a container. Default `rabbitmq:4-management`. */
  readonly image?: string;
  /** In `auto`: try a container first, if its image is there. Default false. */
  readonly preferContainer?: boolean;
  /** How a container is run; the engine's command line unless given. */
  readonly runContainer?: (engine: string, image: string, preferredPort?: number) => Promise<PrivateBroker>;
  /** Nodes of the broker; more than one are a cluster of an installed RabbitMQ. Default 1. */
  readonly brokers?: number;
  /** Where it listens if that port is free. Default: any free one. */
  readonly preferredPort?: number;
  /** Is told what takes long. Default: standard error. */
  readonly say?: (text: string) => void;
}

/** A broker to use, private or somebody else's. */
export interface BrokerInUse {
  /** The administrator's address, or the only one that there is. */
  readonly amqpUrl: string;
  /** The address for one of the mesh's users. On a broker that is not ours everybody has the same. */
  urlFor(user: string): string;
  readonly kind: 'given' | 'localhost' | PrivateBroker['kind'];
  readonly description: string;
  /** Set when it is ours to stop. */
  readonly own?: PrivateBroker;
}

/** AMQP's own port: what every document and example dials. */
const standardPort = 5672;
const localhostUrl = `amqp://guest:guest@localhost:${standardPort}`;

const choices = [
  '  - name a broker: --amqp-url amqp://user:password@host:5672 (or EVENKEEL_AMQP_URL)',
  '  - run one on localhost:5672 that lets guest in',
  '  - install RabbitMQ 3.10 or newer (rabbitmq-server); it is then run privately',
  '  - run a container engine (docker or podman)',
  '  - on Debian or Ubuntu, start this as root: it then installs rabbitmq-server with apt-get',
].join('\n');

/**
 * Finds a broker, or brings one: the given URL and nothing else; else one that answers on
 * localhost:5672; else a private one, on that port if it is free, so that examples run as printed.
 */
export async function resolveBroker(
  options: PrivateBrokerOptions & { readonly amqpUrl?: string },
): Promise<BrokerInUse> {
  const say = options.say ?? sayOnStderr;
  if (options.amqpUrl !== undefined) return useGiven(options.amqpUrl);
  if ((options.choice ?? 'auto') === 'auto' && (options.brokers ?? 1) === 1) {
    const result = await handshake(localhostUrl, 1500);
    if (result.outcome === 'accepted') {
      const description = `RabbitMQ ${result.version} found on localhost:5672`;
      return { amqpUrl: localhostUrl, urlFor: () => localhostUrl, kind: 'localhost', description };
    }
    if (result.outcome === 'refused') {
      say(`A broker on localhost:5672 does not let guest in (${result.reason}); bringing one of our own.`);
    }
  }
  const own = await startPrivateBroker({ preferredPort: standardPort, ...options });
  const { amqpUrl, urlFor, kind, description } = own;
  return { amqpUrl, urlFor, kind, description, own };
}

/** One of several that answers will do: the others may be down for a while. */
async function useGiven(amqpUrl: string): Promise<BrokerInUse> {
  const addresses = amqpAddresses(amqpUrl);
  if (addresses instanceof AddressError) throw new Failure('bad-amqp-url', addresses.message);
  const results = await Promise.all(addresses.map((address) => handshake(address, 5000)));
  for (const [n, result] of results.entries()) {
    if (result.outcome !== 'accepted') continue;
    const description = `RabbitMQ ${result.version} at ${withoutPassword(addresses[n] ?? '')}`;
    return { amqpUrl, urlFor: () => amqpUrl, kind: 'given', description };
  }
  const reasons = results.map((result, n) => {
    const verb = result.outcome === 'refused' ? 'refused us' : 'did not answer';
    const reason = result.outcome === 'accepted' ? '' : result.reason;
    return `The broker at ${withoutPassword(addresses[n] ?? '')} ${verb}: ${reason}.`;
  });
  throw new Failure(
    'broker-unusable',
    `${reasons.join('\n')}\n` +
      'Check --amqp-url (or EVENKEEL_AMQP_URL): host, port, user, password, vhost; and that the broker runs.\n' +
      'Or leave it out: then a broker on localhost:5672 is used, or one is brought for you.',
  );
}

/** Starts a broker that nobody else uses, never one that is already there. Stop it when done. */
export async function startPrivateBroker(options: PrivateBrokerOptions = {}): Promise<PrivateBroker> {
  const {
    choice = 'auto',
    image = defaultBrokerImage,
    say = sayOnStderr,
    preferredPort,
    brokers = 1,
  } = options;
  if (brokers > 1) return startCluster(brokers, preferredPort);
  const start = options.runContainer ?? startContainerBroker;
  const runContainer = (engine: string): Promise<PrivateBroker> => start(engine, image, preferredPort);

  if (choice === 'container') {
    const engine = await findContainerEngine();
    if (engine !== undefined) return runContainer(engine);
    throw new Failure(
      'no-container-engine',
      '--broker container: no container engine runs here (tried docker and podman). Start one, or use --broker local.',
    );
  }

  if (choice === 'auto' && options.preferContainer === true) {
    const engine = await findContainerEngine();
    if (engine !== undefined && (await hasImage(engine, image))) return runContainer(engine);
  }

  const scripts = findInstalledBroker();
  if (scripts !== undefined) return startInstalledBroker(scripts, preferredPort);

  if (choice === 'auto') {
    const inContainer = await tryContainer(runContainer, image, say);
    if (inContainer !== undefined) return inContainer;
  }

  if (canInstallPackages()) {
    await installPackages(['rabbitmq-server'], 'no broker was found', say);
    const installed = findInstalledBroker();
    if (installed !== undefined) return startInstalledBroker(installed, preferredPort);
  }
  throw new Failure(
    'no-broker',
    `No RabbitMQ was found, and none could be brought. Any one of these will do:\n${choices}`,
  );
}

async function tryContainer(
  runContainer: (engine: string) => Promise<PrivateBroker>,
  image: string,
  say: (text: string) => void,
): Promise<PrivateBroker | undefined> {
  const engine = await findContainerEngine();
  if (engine === undefined) return undefined;
  if (!(await hasImage(engine, image))) say(`Pulling ${image} (${engine}) …`);
  try {
    return await runContainer(engine);
  } catch (error) {
    say(`No broker from ${engine}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function sayOnStderr(text: string): void {
  process.stderr.write(`${text}\n`);
}
