export { ensurePackages } from './apt.js';
export type { BrokerNode, PrivateBroker } from './broker/broker.js';
export { type PrivateCluster, startCluster } from './broker/cluster.js';
export {
  copyDefinitions,
  definitionsInContainer,
  startContainerBroker,
  untilBrokerAnswers,
} from './broker/container.js';
export { handshake } from './broker/handshake.js';
export { queuesThatLackReplicas } from './broker/replicas.js';
export { type BrokerChoice, type PrivateBrokerOptions, startPrivateBroker } from './broker/resolve.js';
export { type BrokerUsers, brokerUsers, standardUsers, urlOfUser } from './broker/users.js';
export { Child, runToEnd } from './child.js';
export { chromiumArgs, chromiumPath } from './chromium.js';
export {
  brokerChoice,
  parseFlags,
  reportFailure,
  statusOf,
  UsageError,
  wholeNumber,
} from './commands/flags.js';
export { type ControlledMesh, startControlledMesh } from './control/controlled-mesh.js';
export { savedFileOf } from './docs/saved-file.js';
export type { Place } from './front/config.js';
export { Front, gatewayPlace, placesOf } from './front/front.js';
export { type Choice, type FrontName, frontNames, fronts } from './front/fronts.js';
export { endAllWatched, watchOver } from './guard.js';
export { Member, type Role } from './member.js';
export { type Edge, type Mesh, type MeshOptions, startMesh } from './mesh.js';
export { root, stateDir } from './paths.js';
export { freePort, freePorts } from './ports.js';
export { type LocalAddresses, localAddresses, type RunFile, readRunFile } from './run-file.js';
export { isRunning } from './running.js';
export { type IssuedCertificate, TestAuthority } from './tls/authority.js';
export { CertificateFolder } from './tls/folder.js';
