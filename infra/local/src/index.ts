export type { PrivateBroker } from './broker/broker.js';
export { defaultBrokerImage, findContainerEngine, hasImage } from './broker/container.js';
export { handshake } from './broker/handshake.js';
export {
  type BrokerChoice,
  type PrivateBrokerOptions,
  startPrivateBroker,
} from './broker/resolve.js';
export { Member, type Role } from './member.js';
export { type Edge, type Mesh, type MeshOptions, startMesh } from './mesh.js';
export type { RunFile } from './run-file.js';
