import { expect, it } from 'vitest';
import type { BrokerInUse } from '../broker/resolve.js';
import type { Mesh } from '../mesh.js';
import { banner } from './banner.js';

const gatewayUrl = 'http://127.0.0.1:8080';
const member = (name: string) => ({ name, opsUrl: 'http://127.0.0.1:9000', pid: 1 });
const gateway = member('gateway');
const demo = member('demo');
const mesh = { gateway, gatewayUrl, edges: [], demo, crowd: undefined, members: [gateway, demo] };
const broker = { amqpUrl: 'amqp://guest@127.0.0.1', own: undefined, description: 'found' };

it.each([
  ['in development mode, with a user in the address', true],
  ['where users need tokens, with a token and with no address that such a gateway refuses', false],
])('the start says what to try %s', (_how, isDevelopment) => {
  const printed = banner(mesh as unknown as Mesh, broker as unknown as BrokerInUse, isDevelopment, 1);
  expect(printed.includes('?user=')).toBe(isDevelopment);
  expect(printed.includes(`-H "authorization: Bearer $TOKEN" ${gatewayUrl}/gateway`)).toBe(!isDevelopment);
});
