import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import SwaggerParser from '@apidevtools/swagger-parser';
import { Parser } from '@asyncapi/parser';
import { expect, it } from 'vitest';

const docs = join(import.meta.dirname, '..', '..', 'docs');
const severest = 0;

it('docs/asyncapi.json is valid for the parser of AsyncAPI itself, with every channel and message', async () => {
  const text = readFileSync(join(docs, 'asyncapi.json'), 'utf8');
  const { document, diagnostics } = await new Parser().parse(text);
  expect(diagnostics.filter(({ severity }) => severity === severest)).toEqual([]);
  const written = JSON.parse(text) as { channels: object; operations: object };
  expect(document?.version()).toBe('3.0.0');
  expect(
    document
      ?.allChannels()
      .all()
      .map((channel) => channel.id())
      .sort(),
  ).toEqual(Object.keys(written.channels).sort());
  expect(document?.allOperations().all()).toHaveLength(Object.keys(written.operations).length);
});

it('the parser of AsyncAPI finds what is wrong with a document', async () => {
  const document = JSON.parse(readFileSync(join(docs, 'asyncapi.json'), 'utf8')) as { channels: object };
  const broken = JSON.stringify({ ...document, channels: { ...document.channels, x: { messages: [] } } });
  const { diagnostics } = await new Parser().parse(broken);
  expect(diagnostics.filter(({ severity }) => severity === severest)).not.toEqual([]);
});

it('docs/openapi.json is valid for a parser of OpenAPI that is not ours, and a broken one is not', async () => {
  const path = join(docs, 'openapi.json');
  const document = JSON.parse(readFileSync(path, 'utf8')) as { paths: object };
  const api = await SwaggerParser.validate(path);
  expect(Object.keys(api.paths ?? {})).toEqual(Object.keys(document.paths));
  const broken = { ...document, info: {} };
  await expect(SwaggerParser.validate(broken)).rejects.toThrow(/title/);
});
