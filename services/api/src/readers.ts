/** What the API reads of what strangers send, for those who try how it stands that (test/fuzz). Nothing of the mesh imports it. */
export { request as askClients } from './command/request.js';
export { WrittenJson } from './contract/written-json.js';
export { OperationRoutes } from './http/operation-routes.js';
export { problemOf } from './http/problem.js';
export { refusalOf } from './http/refusals.js';
export { Answers } from './idempotency/answers.js';
export { operationsOf } from './server.js';
