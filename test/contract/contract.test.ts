import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientFrame } from '@evenkeel/protocol';
import { expect, it } from 'vitest';
import { asyncApi, frameSchemas, messageSchemas } from './asyncapi.js';
import { edgeFrames } from './edge-frames.js';

const protocol = readFileSync(join(import.meta.dirname, '..', '..', 'PROTOCOL.md'), 'utf8');
const again = 'npm run contract writes them anew';

it(`docs/asyncapi.json and docs/schemas are what the schemas say; ${again}`, async () => {
  const written = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const dialect = { $schema: 'https://json-schema.org/draft/2020-12/schema' };
  const frames = (from: 'client' | 'edge') =>
    written({ ...dialect, anyOf: Object.values(frameSchemas[from]) });
  await expect(written(asyncApi())).toMatchFileSnapshot('../../docs/asyncapi.json');
  await expect(frames('client')).toMatchFileSnapshot('../../docs/schemas/client-frames.json');
  await expect(frames('edge')).toMatchFileSnapshot('../../docs/schemas/edge-frames.json');
  await expect(written({ ...dialect, $defs: messageSchemas })).toMatchFileSnapshot(
    '../../docs/schemas/amqp-messages.json',
  );
});

const section = (title: string, end: string) =>
  protocol.slice(protocol.indexOf(title), protocol.indexOf(end));
const kindsOf = (text: string) =>
  [...text.matchAll(/^#### (.*)$/gm)].flatMap(([, kinds = '']) => kinds.match(/[a-z]+/g) ?? []);

it('the schemas have every frame of PROTOCOL.md and no other', () => {
  const fromClients = kindsOf(section('### 2.1 From the client', '### 2.2 From the edge'));
  const fromEdges = kindsOf(section('### 2.2 From the edge', '### 2.3'));
  expect(Object.keys(frameSchemas.client).sort()).toEqual(fromClients.sort());
  expect(Object.keys(frameSchemas.edge).sort()).toEqual(fromEdges.sort());
});

it('the schemas take every example of PROTOCOL.md, which has no fields beside theirs', () => {
  const examples = [...protocol.matchAll(/^```json\n(\{"t": [\s\S]*?)^```$/gm)].map(([, text = '']) =>
    JSON.parse(text),
  );
  expect(examples.length).toBeGreaterThan(20);
  for (const example of examples) {
    // Clients and edges both have a frame of this kind, or one of them.
    const taken = [clientFrame, edgeFrames[example.t]].map((type) => type?.safeParse(example));
    const errors = taken.some((result) => result?.success) ? [] : taken.map((result) => result?.error);
    expect({ example, errors }).toEqual({ example, errors: [] });
    const fields = [frameSchemas.client, frameSchemas.edge].flatMap((kinds) =>
      Object.keys(kinds[example.t]?.properties ?? {}),
    );
    expect(fields).toEqual(expect.arrayContaining(Object.keys(example)));
  }
});

it('every reference of docs/asyncapi.json leads somewhere', () => {
  const document = asyncApi();
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]*)"/g)].map(([, path = '']) => path);
  expect(refs.length).toBeGreaterThan(50);
  const reach = (path: string) =>
    path
      .split('/')
      .reduce<unknown>((at, word) => (at as Record<string, unknown> | undefined)?.[word], document);
  expect(refs.filter((path) => reach(path) === undefined)).toEqual([]);
});
