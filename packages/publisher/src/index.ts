/** SDK for application services: publish events into the mesh, answer what clients send. */
export { PublisherError } from './errors.js';
export type { EventOptions } from './message.js';
export { type CreatePublisherOptions, createPublisher, type Published, Publisher } from './publisher.js';
export type { InboundHandler, InboundMessage, ServeOptions, Service } from './service.js';
