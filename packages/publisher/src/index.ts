/** SDK for application services: publish events into the mesh, answer what clients send. */

// What this package throws besides its own, and what its options take.
export { BrokerError, type BrokerErrorCode, type ConnectionFigures, type Log } from '@evenkeel/broker';
export { CellsError } from '@evenkeel/pace';
export {
  type Carried,
  type CloudEvent,
  cloudEventOf,
  defineMesh,
  fromTopicWord,
  type Got,
  type MeshDefinition,
  type MeshMap,
  type MeshOf,
  type MethodDefinition,
  NameError,
  type SchemaIssue,
  type SchemaResult,
  type Sent,
  type ServiceMeshOf,
  type StandardSchema,
  type StreamDefinition,
  topicWord,
} from '@evenkeel/protocol/wire';
export { CellMap } from './cell-map.js';
export { type CloudEventInput, cloudEvent } from './cloud-event.js';
export { AskError, PublisherError, type PublisherErrorCode, ServiceError } from './errors.js';
export type { HandledOutcome, PublisherFigures } from './figures.js';
export { JsonText } from './json-text.js';
export type { DirectedOptions, EventOptions, Receipt, TopicOptions } from './message.js';
export { createPublisher, Publisher } from './publisher.js';
export type * from './types.js';
