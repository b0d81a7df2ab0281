import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');

/** `400 bad-session`, as the table of PROTOCOL.md has them. */
const told = (/^### Errors of the gateway$([\s\S]*?)^### /m.exec(read('PROTOCOL.md'))?.[1] ?? '')
  .split('\n')
  .flatMap((line) => {
    const [, status, codes = ''] = /^\| (\d{3}) \| ([^|]+) \|/.exec(line) ?? [];
    return [...codes.matchAll(/`([a-z-]+)`/g)].map(([, code]) => `${status} ${code}`);
  });

test('PROTOCOL.md has every error that a gateway answers clients with, and no other', () => {
  const sources = ['services/gateway/src/routes/gateway.ts', 'services/gateway/src/placement/placer.ts'];
  sources.push(...['server', 'request-limits', 'cors'].map((name) => `libs/runtime/src/http/${name}.ts`));
  const code = sources.map(read).join('\n');
  const written = [...code.matchAll(/new Refusal\(\s*(\d{3}),\s*'([a-z-]+)'/g)].map(
    ([, status, code]) => `${status} ${code}`,
  );
  const why = /kind: 'refused'; reason: ([^;]+);/.exec(code)?.[1] ?? '';
  const noEdge = [...why.matchAll(/'(\w+)'/g)].map(([, reason]) => `503 no-edge-${reason}`);
  const [, auth = ''] = /readonly code:([^;]+);/.exec(read('services/gateway/src/auth/credentials.ts')) ?? [];
  const statuses: Readonly<Record<string, number>> = { 'bad-user-id': 400 };
  const unknown = [...auth.matchAll(/'([a-z-]+)'/g)].map(([, code = '']) => {
    const status = code.endsWith('-unavailable') ? 503 : 401;
    return `${statuses[code] ?? status} ${code}`;
  });
  const others = ['400 bad-from', '400 bad-tried', '403 origin-refused'];
  expect(told.toSorted()).toEqual([...new Set([...written, ...noEdge, ...unknown, ...others])].toSorted());
});
