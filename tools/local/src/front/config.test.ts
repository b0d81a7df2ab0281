import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../paths.js';
import { configFor } from './config.js';
import { frontNames, fronts } from './fronts.js';

const places = {
  listen: '127.0.0.1:22090',
  gateways: [{ name: 'gateway-1', address: '127.0.0.1:22085' }],
  edges: ['edge-1', 'edge-4'].map((name, n) => ({
    name,
    address: `127.0.0.1:2211${n}`,
    agentPort: 22_120 + n,
  })),
};
const textOf = (file: string): string => configFor(readFileSync(join(root, file), 'utf8'), places);

test.each(frontNames)(
  'the configuration of %s names the places that it is made for, and no other',
  (name) => {
    const { file, hasGateway } = fronts[name];
    const text = textOf(file);
    expect(text).toContain('22090');
    expect(text.includes('22085')).toBe(hasGateway);
    for (const { name: edge, address } of places.edges) {
      expect(text).toContain(edge);
      expect(text.replaceAll(' . ', ':')).toContain(address);
    }
    expect(text.replaceAll(/^\s*#.*/gm, '')).not.toMatch(/10\.0\.0\.|192\.0\.2\.|edge-[23]|gateway-2|8101/);
  },
);

test('each edge has its line, or its block', () => {
  expect(textOf('infra/haproxy/path.cfg')).toContain(
    'backend edge-1\n    server edge-1 127.0.0.1:22110\nbackend edge-4\n    server edge-4 127.0.0.1:22111\n',
  );
  expect(textOf('infra/haproxy/agent.cfg')).toContain('    server edge-4 127.0.0.1:22111 agent-port 22121\n');
  expect(textOf('infra/l4/evenkeel.nft')).toContain(
    ' mod 2 map {\n            0 : 127.0.0.1 . 22110, # edge-1\n',
  );
  expect(textOf('infra/l4/evenkeel.nft')).toContain('            1 : 127.0.0.1 . 22111, # edge-4\n');
});
