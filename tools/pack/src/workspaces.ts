import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The fields of a package.json that packing reads. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** A private library: it is built into the packages that use it. */
export interface Library {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** All of `libs/`, by name. */
export function readLibraries(root: string): ReadonlyMap<string, Library> {
  const folders = readdirSync(join(root, 'libs')).map((name) => join(root, 'libs', name));
  const libraries = folders.map((folder) => ({ folder, manifest: readManifest(folder) }));
  return new Map(libraries.map((library) => [library.manifest.name, library]));
}

/** The file with the types of `specifier`, if that is of a library: as its `exports` say. */
export function typesOf(specifier: string, libraries: ReadonlyMap<string, Library>): string | undefined {
  const name = packageOf(specifier);
  const library = name === undefined ? undefined : libraries.get(name);
  if (library === undefined || name === undefined) return undefined;
  const exports = library.manifest.exports as Readonly<Record<string, { types?: string }>> | undefined;
  const types = exports?.[`.${specifier.slice(name.length)}`]?.types;
  return types === undefined ? undefined : join(library.folder, types);
}

/** The package that `specifier` belongs to: `@a/b` of `@a/b/c`. Undefined for a path. */
export function packageOf(specifier: string): string | undefined {
  if (/^[./]|^node:/.test(specifier)) return undefined;
  const [scope = '', name = ''] = specifier.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}
