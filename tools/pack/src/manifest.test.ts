import { describe, expect, it } from 'vitest';
import { exportsOf, publishedManifest } from './manifest.js';
import type { PublicPackage } from './packages.js';
import { packageOf, typesOf } from './workspaces.js';

const what: PublicPackage = {
  folder: 'packages/a',
  entries: [{ subpath: '.', module: 'index', node: 'node' }],
  modules: [],
  copied: ['dist/one.js', 'bin'],
  files: { './one': { path: 'dist/one.js' } },
};
const workspace = {
  name: 'a',
  version: '1.2.3',
  private: true,
  dependencies: { '@evenkeel/lib': '0.1.0', zod: '^4.0.0' },
  peerDependencies: { ws: '^8.0.0' },
};
const lib = { name: '@evenkeel/lib', version: '0.1.0', dependencies: { amqplib: '^2.0.0' } };

describe('a published package.json', () => {
  it('depends on what the bundles import alone, with the ranges of who declares it, and is not private', () => {
    const manifest = publishedManifest(what, workspace, new Set(['zod', 'amqplib', 'ws']), [workspace, lib]);
    expect(manifest).toMatchObject({
      name: 'a',
      version: '1.2.3',
      files: ['dist', 'bin'],
      dependencies: { amqplib: '^2.0.0', zod: '^4.0.0' },
      peerDependencies: { ws: '^8.0.0' },
    });
    expect(manifest).not.toHaveProperty('private');
  });

  it('is not made when an import is declared nowhere', () => {
    expect(() => publishedManifest(what, workspace, new Set(['left-pad']), [workspace, lib])).toThrow(
      '"left-pad" is imported but declared in no package.json',
    );
  });

  it("has types before code in every form, and Node's own form before the one for all", () => {
    const { '.': all, './one': one } = exportsOf(what);
    expect(Object.keys(all as object)).toEqual(['node', 'import', 'require']);
    expect(all).toMatchObject({
      node: { import: { types: './dist/index.d.ts', default: './dist/node.js' } },
      require: { types: './dist/index.d.cts', default: './dist/index.cjs' },
    });
    expect(one).toEqual({ default: './dist/one.js' });
  });
});

it.each([
  ['zod', 'zod'],
  ['zod/v4', 'zod'],
  ['@evenkeel/protocol/wire', '@evenkeel/protocol'],
  ['node:fs', undefined],
  ['./zod', undefined],
])('%s is of the package %s', (specifier, name) => {
  expect(packageOf(specifier)).toBe(name);
});

it('the types of a library are where its exports say', () => {
  const manifest = { ...lib, exports: { './wire': { types: './dist/wire.d.ts' } } };
  const libraries = new Map([[lib.name, { folder: '/libs/lib', manifest }]]);
  expect(typesOf('@evenkeel/lib/wire', libraries)).toBe('/libs/lib/dist/wire.d.ts');
  expect(typesOf('@evenkeel/lib', libraries)).toBeUndefined();
  expect(typesOf('zod', libraries)).toBeUndefined();
});
