export { Broker, type ConnectOptions } from './broker.js';
export type { ConnectionEvent } from './connection.js';
export { ConsumerChannels, type ConsumerOptions } from './consumer-channels.js';
export { BrokerError, type BrokerErrorCode, redactUrl } from './errors.js';
export { Publisher, type PublisherOptions, type PublishOutcome } from './publisher.js';
export type { StreamListener, StreamReader } from './stream-reader.js';
export { TopologyChannels, type TopologyOptions } from './topology-channels.js';
export type * from './types.js';
export { userOf } from './user.js';
