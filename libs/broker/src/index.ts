export { Broker, type ConnectOptions } from './broker.js';
export { ConsumerChannels, type ConsumerOptions } from './consumer-channels.js';
export { BROKER_ERROR_CODES, BrokerError, type BrokerErrorCode, redactUrl } from './errors.js';
export type { LinkEvent } from './link.js';
export { Publisher, type PublisherOptions, type PublishOutcome } from './publisher.js';
export { TopologyChannels, type TopologyOptions } from './topology-channels.js';
export type * from './types.js';
