import type { PublicPackage } from './packages.js';
import type { Manifest } from './workspaces.js';

/** Conditions or a file, as in a package.json's `exports`. */
export type Exports = { readonly [condition: string]: string | Exports };

/** The `exports` of the package: types first, Node's own form before the one for all. */
export function exportsOf({ entries, files }: PublicPackage): Exports {
  const exports: Record<string, Exports | string> = {};
  for (const { subpath, module, node } of entries) {
    const all = formsOf(module, module);
    exports[subpath] = node === undefined ? all : { node: formsOf(module, node), ...all };
  }
  for (const [subpath, { path, types }] of Object.entries(files)) {
    exports[subpath] = {
      ...(types !== undefined && { types: `./dist/${types}.d.ts` }),
      default: `./${path}`,
    };
  }
  return { ...exports, './package.json': './package.json' };
}

const formsOf = (types: string, module: string): Exports => ({
  import: { types: `./dist/${types}.d.ts`, default: `./dist/${module}.js` },
  require: { types: `./dist/${types}.d.cts`, default: `./dist/${module}.cjs` },
});

/** What the published package.json takes over from the workspace's. */
const kept = [
  'name',
  'version',
  'description',
  'keywords',
  'license',
  'type',
  'engines',
  'bin',
  'peerDependencies',
  'peerDependenciesMeta',
  'sideEffects',
] as const;

/**
 * The package.json to publish. `dependencies` are exactly the packages that the bundles import, with the ranges of the
 * workspace or the library (`declaring`) that declares them.
 * @throws Error for one that none declares.
 */
export function publishedManifest(
  pack: PublicPackage,
  workspace: Manifest,
  imported: ReadonlySet<string>,
  declaring: readonly Manifest[],
): Record<string, unknown> {
  const manifest: Record<string, unknown> = {};
  for (const field of kept) if (workspace[field] !== undefined) manifest[field] = workspace[field];
  const beside = pack.copied.filter((path) => !path.startsWith('dist/'));
  manifest.files = ['dist', ...beside];
  if (pack.entries.length > 0) manifest.exports = exportsOf(pack);
  const peers = workspace.peerDependencies ?? {};
  const dependencies = [...imported].filter((name) => peers[name] === undefined).sort();
  if (dependencies.length > 0) {
    manifest.dependencies = Object.fromEntries(dependencies.map((name) => [name, rangeOf(name, declaring)]));
  }
  return manifest;
}

function rangeOf(name: string, declaring: readonly Manifest[]): string {
  for (const { dependencies } of declaring) {
    const range = dependencies?.[name];
    if (range !== undefined) return range;
  }
  throw new Error(`"${name}" is imported but declared in no package.json; add it to the workspace's`);
}
