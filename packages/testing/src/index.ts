/** An Evenkeel mesh in memory, for tests of applications. */
export type { GapReason } from '@evenkeel/client';
export { createTestMesh, type Loss, type TestClient, type TestMesh, type TestMeshOptions } from './mesh.js';
