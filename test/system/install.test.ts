import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { startTestMesh } from '../support/mesh.js';
import { serveFolder } from '../support/page-server.js';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
const newWindow = useBrowser();

/** A project outside of the repository, so that nothing of the repository's is found from there. */
let project = '';
const inProject = (command: string, ...args: string[]) =>
  run(command, args, { cwd: project, timeout: 60_000 });

interface Packed {
  name: string;
  file: string;
  dependencies: string[];
}
/** Of the application, as its own. */
const react = ['react@19.3.1', 'react-dom@19.3.1', '@types/react@19.3.3'];
let packages: Packed[] = [];

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'evenkeel-install-'));
  const packing = [
    join(root, 'tools', 'pack', 'dist', 'main.js'),
    '--json',
    '--out',
    join(project, 'packed'),
  ];
  const { stdout } = await run(process.execPath, packing);
  packages = (JSON.parse(stdout) as { packages: Packed[] }).packages;
  await rm(join(project, 'packed', 'unpacked'), { recursive: true });
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  await cp(join(import.meta.dirname, 'installed'), project, { recursive: true });
  const tarballs = packages.map(({ file }) => file);
  await inProject(
    'npm',
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    ...tarballs,
    'ws@8',
    ...react,
  );
}, 120_000);

afterAll(() => rm(project, { recursive: true, force: true }));

describe('the packages, installed in an empty project', () => {
  it('bring nothing of ours but themselves', async () => {
    expect(packages.map(({ name }) => name)).toEqual([
      '@evenkeel/client',
      '@evenkeel/publisher',
      'evenkeel',
      '@evenkeel/conformance',
      '@evenkeel/react',
      '@evenkeel/testing',
    ]);
    expect(await readdir(join(project, 'node_modules', '@evenkeel'))).toEqual([
      'client',
      'conformance',
      'publisher',
      'react',
      'testing',
    ]);
    expect(packages[0]?.dependencies).toEqual([]);
    for (const { name } of packages) {
      const folder = join(project, 'node_modules', name);
      expect(await readdir(folder)).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist']));
      for (const file of await readdir(join(folder, 'dist'))) {
        const text = await readFile(join(folder, 'dist', file), 'utf8');
        const imported = text.matchAll(/(?:from|import|require\()\s*\(?['"](@evenkeel\/[^'"]*)/g);
        // Hooks and the double take the very client and publisher that the application has.
        const isBeside = name === '@evenkeel/testing' || name === '@evenkeel/react';
        const own = isBeside ? ['@evenkeel/client', '@evenkeel/publisher'] : [];
        expect(
          [...imported].map(([, from]) => from).filter((from = '') => !own.includes(from)),
          file,
        ).toEqual([]);
      }
    }
  });

  it('have types for ESM, for CommonJS, and for bundlers, and need no further library of the language', async () => {
    const uses = await readFile(join(project, 'uses.ts'), 'utf8');
    const compiled = async (name: string, resolution: object, files: readonly string[]) => {
      const folder = join(project, name);
      await mkdir(folder);
      for (const file of files) await writeFile(join(folder, file), uses);
      const compilerOptions = {
        ...resolution,
        ...{ target: 'ES2022', lib: ['ES2022', 'DOM'], types: [], noEmit: true },
        ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false },
      };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
      // The errors are what is looked at, not the exit status.
      const { stdout } = await inProject(bin('tsc'), '-p', folder).catch((error) => error);
      expect(stdout).toBe('');
    };
    await Promise.all([
      compiled('node', { module: 'NodeNext', moduleResolution: 'NodeNext' }, ['esm.mts', 'cjs.cts']),
      compiled('bundled', { module: 'ESNext', moduleResolution: 'bundler' }, ['bundled.ts']),
    ]);
  });

  it('bring a double that works as ESM and as CommonJS', async () => {
    for (const program of ['double.mjs', 'double.cjs']) {
      const { stdout } = await inProject(process.execPath, program);
      expect(JSON.parse(stdout), program).toEqual({ number: 7, isClientError: true });
    }
  });

  it('work against a mesh: as ESM, as CommonJS, in pages built by Vite and by esbuild and as a classic script, and as commands', async () => {
    const mesh = await startTestMesh({ edges: 2 });
    const [{ stdout: esm }, { stdout: cjs }] = await Promise.all([
      inProject(process.execPath, 'program.mjs', mesh.gatewayUrl, mesh.amqpUrl, 'esm'),
      inProject(process.execPath, 'program.cjs', mesh.gatewayUrl, mesh.amqpUrl, 'cjs'),
    ]);
    expect(JSON.parse(esm)).toEqual({ number: 7, reply: 'Hello, esm', nodes: 2 });
    expect(JSON.parse(cjs)).toEqual({ number: 7, reply: 'Hello, cjs', nodes: 2 });

    const site = join(project, 'site');
    await buildPages(site);
    const origin = await serveFolder(site);
    const context = await newWindow();
    for (const name of ['vite', 'esbuild', 'classic']) {
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(
        `${origin}/${name}/index.html?${new URLSearchParams({ gateway: mesh.gatewayUrl, user: name })}`,
      );
      await expect.poll(() => page.title(), { timeout: 30_000, message: name }).toBe('connected');
      const amqp = ['--amqp-url', mesh.amqpUrl];
      await inProject(
        'npx',
        '--no-install',
        'evenkeel',
        'send',
        name,
        '{"number":7}',
        '--event',
        'order.created',
        ...amqp,
      );
      await expect.poll(() => page.title(), { timeout: 30_000, message: name }).toBe('order 7');
      expect(complaints).toEqual([]);
    }

    const checked = await inProject(
      ...(['npx', '--no-install', 'evenkeel-conformance', '--json', '--only', 'gateway'] as const),
      ...['--gateway', mesh.gatewayUrl, '--amqp-url', mesh.amqpUrl],
    );
    expect(JSON.parse(checked.stdout)).toMatchObject({ failed: 0 });
  });

  it('check a client, with the driver that they bring', async () => {
    const driver = join('node_modules', '@evenkeel', 'conformance', 'drivers', 'sdk.mjs');
    const command = ['npx', '--no-install', '@evenkeel/conformance', '--client', `node ${driver}`] as const;
    const { stdout } = await inProject(...command, '--only', 'move-new-socket-first', '--only', 'close-4501');
    expect(stdout).toMatch(/\n3 passed, 0 failed\n$/);
  });

  it('bring the command evenkeel, with its version', async () => {
    const { version } = JSON.parse(
      await readFile(join(project, 'node_modules', 'evenkeel', 'package.json'), 'utf8'),
    ) as { version: string };
    const [shown, help] = await Promise.all([
      inProject('npx', '--no-install', 'evenkeel', '--version'),
      inProject('npx', '--no-install', 'evenkeel', '--help'),
    ]);
    expect(shown.stdout.trim()).toBe(version);
    expect(help.stdout).toContain('evenkeel drain edge-1 edge-2 --wait');
  });
});

/** One page a way of loading the client: `<site>/vite`, `<site>/esbuild`, `<site>/classic`. */
async function buildPages(site: string): Promise<void> {
  const html = await readFile(join(project, 'page.html'), 'utf8');
  const page = (scripts: string) => html.replace('<!-- scripts -->', scripts);
  await writeFile(join(project, 'index.html'), page('<script type="module" src="./page.js"></script>'));
  await Promise.all([
    inProject(bin('vite'), 'build', '--base', './', '--outDir', join(site, 'vite'), '--logLevel', 'error'),
    inProject(
      bin('esbuild'),
      'page.js',
      '--bundle',
      '--format=iife',
      `--outfile=${join(site, 'esbuild', 'page.js')}`,
    ),
  ]);
  await writeFile(join(site, 'esbuild', 'index.html'), page('<script src="./page.js"></script>'));
  const globals = join('node_modules', '@evenkeel', 'client', 'dist', 'evenkeel.global.js');
  await cp(join(project, globals), join(site, 'classic', 'evenkeel.global.js'));
  await writeFile(
    join(site, 'classic', 'index.html'),
    page('<script src="./evenkeel.global.js"></script><script>listen(Evenkeel.connect)</script>'),
  );
}
