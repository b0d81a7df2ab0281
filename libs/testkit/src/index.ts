export { eventually } from './eventually.js';
export { FakeConsole, type FakeConsoleOptions } from './fake-console.js';
export { FakeEdge, type FakeEdgeBroker, type FakeEdgeOptions, FakeMesh } from './fake-edge.js';
export { statsOf } from './node-stats.js';
export { type FrameOf, RawClient, type RawFrame, type RawOptions, type Received } from './raw-client.js';
export { refusal, UpgradeRefused } from './refusal.js';
export { type Lookup, ScriptedConnection, ScriptedEdge, ScriptedMesh } from './scripted-mesh.js';
export { type SimulatedStatus, simulatedStatus } from './simulated-status.js';
export { TcpProxy } from './tcp-proxy.js';
