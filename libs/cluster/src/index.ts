export * from './clocks.js';
export * from './hearing.js';
export * from './liveness.js';
export * from './load.js';
export { isNodeUrlPattern, NodeUrls } from './node-url.js';
export * from './reports.js';
export * from './ring.js';
export * from './states.js';
export * from './version.js';
