export { RawClient, type RawFrame, type RawOptions, refusal } from './raw-client.js';
export { eventually, ScriptedConnection, ScriptedEdge, ScriptedMesh } from './scripted-mesh.js';
export { TcpProxy } from './tcp-proxy.js';
