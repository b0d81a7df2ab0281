export type { PrivateBroker } from './broker/broker.js';
export { startContainerBroker } from './broker/container.js';
export { handshake } from './broker/handshake.js';
export { type BrokerChoice, type PrivateBrokerOptions, startPrivateBroker } from './broker/resolve.js';
export { watchOver } from './guard.js';
export { Member, type Role } from './member.js';
export { type Edge, type Mesh, type MeshOptions, startMesh } from './mesh.js';
export { freePort } from './ports.js';
export type { RunFile } from './run-file.js';
