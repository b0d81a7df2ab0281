/** The browser-safe door: names, codes and frame types, without the schemas (and so without zod). */
export * from './cloud-events.js';
export * from './codes.js';
export * from './content-types.js';
export * from './frames.js';
export type * from './gateway.js';
export * from './mesh-definition.js';
export type { EventsOf, MeshMap, RequestsOf, ServedOf, StreamsOf, TopicsOf, Unlisted } from './mesh-map.js';
export * from './names.js';
export * from './patterns.js';
export type * from './standard-schema.js';
export * from './topic-word.js';
export * from './trace.js';
