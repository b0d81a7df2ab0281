import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import type { BundleOptions } from './bundle.js';
import { packageOf, typesOf } from './workspaces.js';

/**
 * Rolls the types of each module into one file, those of the libraries included, once for ESM and once for CommonJS;
 * returns the packages whose types they use.
 */
export async function bundleTypes(options: Omit<BundleOptions, 'format'>): Promise<Set<string>> {
  const { from, to, modules, libraries } = options;
  const used = new Set<string>();
  for (const name of modules) {
    const bundle = await rollup({
      input: join(from, 'dist', `${name}.d.ts`),
      plugins: [
        {
          name: 'libraries',
          resolveId(id) {
            if (packageOf(id) === undefined) return null;
            return typesOf(id, libraries) ?? { id, external: true };
          },
        },
        dts({ respectExternal: true }),
      ],
      onwarn: ({ message }) => {
        throw new Error(`the types of ${name}: ${message}`);
      },
    });
    const file = join(to, 'dist', `${name}.d.ts`);
    // A project need not ask for this part of the language itself: its name alone stands in the types.
    const banner = ({ modules }: { modules: Record<string, { code: string | null }> }) =>
      Object.values(modules).some(({ code }) => code?.includes('Symbol.asyncDispose'))
        ? '/// <reference lib="esnext.disposable" />'
        : '';
    const { output } = await bundle.write({ file, format: 'es', banner });
    await bundle.close();
    for (const id of output[0].imports) {
      const of = packageOf(id);
      if (of !== undefined) used.add(of);
    }
    await copyFile(file, join(to, 'dist', `${name}.d.cts`));
  }
  return used;
}
