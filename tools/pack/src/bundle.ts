import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { type Library, packageOf } from './workspaces.js';

export interface BundleOptions {
  /** Folder of the workspace, compiled. */
  readonly from: string;
  /** Folder of the package that is made. */
  readonly to: string;
  /** Names of modules in `dist/`, without extension. */
  readonly modules: readonly string[];
  readonly format: 'esm' | 'cjs';
  /** Built in. All other packages are imported at run time. */
  readonly libraries: ReadonlyMap<string, Library>;
}

/** Bundles compiled modules with the libraries they use; returns the packages that they import at run time. */
export async function bundle({ from, to, modules, format, libraries }: BundleOptions): Promise<Set<string>> {
  const { metafile } = await build({
    entryPoints: modules.map((name) => join(from, 'dist', `${name}.js`)),
    outdir: join(to, 'dist'),
    outExtension: { '.js': format === 'esm' ? '.js' : '.cjs' },
    // What several entries share is one chunk, so that it exists once; CommonJS cannot.
    splitting: format === 'esm',
    chunkNames: 'shared-[hash]',
    bundle: true,
    format,
    target: 'es2022',
    platform: 'node',
    // CommonJS has no `import.meta`; `createRequire` takes a path as well.
    ...(format === 'cjs' && { define: { 'import.meta.url': '__filename' } }),
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    plugins: [externals(libraries)],
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const names = imports.flatMap(({ path, external }) => (external ? (packageOf(path) ?? []) : []));
  return new Set(names.filter((name) => !builtinModules.includes(name)));
}

const externals = (libraries: ReadonlyMap<string, Library>): Plugin => ({
  name: 'externals',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (kind === 'entry-point') return undefined;
      const name = packageOf(path);
      return name !== undefined && libraries.has(name) ? undefined : { path, external: true };
    });
  },
});
