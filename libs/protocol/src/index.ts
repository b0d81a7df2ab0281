export * from './codes.js';
export * from './frames.js';
export * from './names.js';
export * from './ring.js';
export * from './schemas.js';
export * from './topology.js';
