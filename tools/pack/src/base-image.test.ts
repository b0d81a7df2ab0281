import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pinnedBase } from './base-image.js';

const root = join(import.meta.dirname, '..', '..', '..');
const digest = `sha256:${'a1'.repeat(32)}`;
const dockerfiles = ['infra/docker/Dockerfile', 'infra/docker/ingress/Dockerfile'];

test.each(dockerfiles)('%s is built on one base, which a release pins by digest', (path) => {
  const text = readFileSync(join(root, path), 'utf8');
  const base = pinnedBase(text, () => digest);
  expect(base.image).toMatch(/^[a-z]+:[a-z0-9-]+@sha256:/);
  const froms = [...text.matchAll(/^FROM (\S+)/gm)].map(([, from]) => from);
  expect(froms.filter((from) => from !== `\${${base.argument}}`)).toEqual([]);
});

test('what is no digest is refused, and a dry run needs none', () => {
  const text = 'ARG NODE_IMAGE=node:24\n';
  expect(() => pinnedBase(text, () => 'latest')).toThrow('no digest');
  expect(pinnedBase(text, undefined)).toEqual({ argument: 'NODE_IMAGE', image: 'node:24' });
});
