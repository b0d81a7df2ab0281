export * from './liveness.js';
export * from './load.js';
export * from './reports.js';
export * from './ring.js';
export * from './version.js';
