export { Arrivals } from './arrivals.js';
export type { Binding } from './bindings.js';
export { type Control, type QueueHooks, replyWaitMs } from './control.js';
export { Denials } from './denials/denials.js';
export type { Deniable, Denied } from './denials/list.js';
export { Mesh, type MeshOptions } from './mesh.js';
export { OwnQueue, type OwnQueueOptions, type QueueConnection } from './own-queue.js';
export { isSentTo, maySpeakFor, type Sender } from './sender.js';
export type { StatsChannel, StatsListener } from './stats.js';
