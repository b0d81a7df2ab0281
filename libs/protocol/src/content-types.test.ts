import { expect, it } from 'vitest';
import { isJsonType } from './content-types.js';

it.each([
  ['application/json', true],
  ['Text/JSON ; charset=utf-8', true],
  ['application/cloudevents+json; charset=utf-8', true],
  ['model/gltf+json', true],
  ['application/json-seq', false],
  ['application/jsonl', false],
  ['text/plain; format="+json"', false],
  ['image/json', false],
])('%s is JSON: %s', (type, isJson) => {
  expect(isJsonType(type)).toBe(isJson);
});
