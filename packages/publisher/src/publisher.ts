import { exchanges } from '@evenkeel/protocol';
import type { EventsOf, MeshDefinition, ServedOf, ServiceMeshOf, TopicsOf } from '@evenkeel/protocol/wire';
import { CellsPublisher } from './cells-publisher.js';
import { connected } from './connect.js';
import { consoleLog } from './console-log.js';
import { MeshPublisher } from './mesh-publisher.js';
import { checkPublisherOptions } from './options.js';
import { findTracing } from './tracing.js';
import type {
  CellPublisherOptions,
  CreatePublisherOptions,
  MethodMap,
  MethodsOf,
  PayloadMap,
  Publisher as PublisherSurface,
} from './types.js';

/**
 * Connects, and waits until the mesh has declared its exchanges; recovers by itself from then on. It declares none itself,
 * and needs no right to. While it waits the log says why, by default on the console; `attempts`, `timeoutMs` and `signal` end it.
 * @example
 * const publisher = await createPublisher({ amqpUrl, name: 'shop' });
 * await publisher.toUser('alice', 'order.created', { number: 7 });
 * await publisher.close();
 * @throws PublisherError `bad-option`; BrokerError `bad-address` and `broker-refused` at once, `broker-unreachable` and
 * `no-exchange` with `attempts` or `timeoutMs`, `broker-closed` by `signal`.
 *
 * With `cells` it is there as soon as one of them is, and the others are or have had 2 s: see {@link CellPublisherOptions}.
 */
export function createPublisher<const Definition extends object>(
  options: (CreatePublisherOptions | CellPublisherOptions) & { mesh: Definition & MeshDefinition },
): Promise<
  Publisher<
    ServiceMeshOf<Definition>['events'],
    ServiceMeshOf<Definition>['topics'],
    MethodsOf<ServiceMeshOf<Definition>>,
    ServiceMeshOf<Definition>['served']
  >
>;
export function createPublisher<
  Map extends object = PayloadMap,
  Topics extends object = TopicsOf<Map, PayloadMap>,
  Methods extends object = MethodsOf<Map>,
  Served extends object = ServedOf<Map>,
>(
  options: CreatePublisherOptions | CellPublisherOptions,
): Promise<Publisher<EventsOf<Map>, Topics, Methods, Served>>;
export function createPublisher(options: CreatePublisherOptions | CellPublisherOptions): Promise<unknown> {
  return Publisher.connect(options);
}

/**
 * What {@link createPublisher} makes: it publishes, asks, and serves what clients send.
 * @example
 * const publisher: Publisher = await createPublisher({ amqpUrl, name: 'shop' });
 * await publisher.toTopic('prices.demo', { price: 41.5 });
 */
export type Publisher<
  Events extends object = PayloadMap,
  Topics extends object = PayloadMap,
  Methods extends object = MethodMap,
  Served extends object = ServedOf<Record<never, never>>,
> = PublisherSurface<Events, Topics, Methods, Served>;
/** As {@link createPublisher}, which applications call; this one is there also where tests have put another in its place. */
export const Publisher = {
  async connect(options: CreatePublisherOptions | CellPublisherOptions): Promise<Publisher> {
    checkPublisherOptions(options);
    if (options.cells !== undefined) return await CellsPublisher.connect(options);
    const { name, signal, timeoutMs, log = consoleLog(name) } = options;
    const broker = await connected(options, log, { name, exchange: exchanges.events, signal, timeoutMs });
    return new MeshPublisher(options, broker, log, await findTracing());
  },
};
