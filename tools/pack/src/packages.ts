/** One public package: what of its compiled form is published, and how. */
export interface PublicPackage {
  /** Relative to the repository's root. */
  readonly folder: string;
  /** What can be imported: each is bundled as ESM and CommonJS, with types. */
  readonly entries: readonly Entry[];
  /** Further modules of `dist/`, bundled as ESM: what commands run. */
  readonly modules: readonly string[];
  /** Files and folders taken as they are. */
  readonly copied: readonly string[];
  /** Files of `copied` that can be imported or resolved, by subpath. */
  readonly files: Readonly<Record<string, FileEntry>>;
}

/** `subpath` is `.` or `./name`; the rest are modules of `dist/`, without extension. */
interface Entry {
  readonly subpath: string;
  readonly module: string;
  /** Taken by Node in place of `module`. */
  readonly node?: string;
}

interface FileEntry {
  readonly path: string;
  /** The module whose types it has. */
  readonly types?: string;
}

const none = { entries: [], modules: [], copied: [], files: {} } as const;

/** In the order in which they are packed. Each becomes one tarball. */
export const publicPackages: readonly PublicPackage[] = [
  {
    ...none,
    folder: 'packages/client',
    entries: [
      { subpath: '.', module: 'index', node: 'node' },
      { subpath: './core', module: 'core', node: 'core-node' },
    ],
    copied: ['dist/evenkeel.browser.js', 'dist/evenkeel.global.js', 'dist/evenkeel.full.js'],
    files: {
      './browser': { path: 'dist/evenkeel.browser.js', types: 'core' },
      './browser/full': { path: 'dist/evenkeel.full.js', types: 'index' },
      './global': { path: 'dist/evenkeel.global.js' },
    },
  },
  { ...none, folder: 'packages/publisher', entries: [{ subpath: '.', module: 'index' }] },
  {
    ...none,
    folder: 'packages/operator',
    entries: [{ subpath: '.', module: 'index' }],
    modules: ['cli'],
    copied: ['bin'],
  },
  { ...none, folder: 'packages/conformance', modules: ['main'], copied: ['drivers'] },
  { ...none, folder: 'packages/react', entries: [{ subpath: '.', module: 'index' }] },
  { ...none, folder: 'packages/testing', entries: [{ subpath: '.', module: 'index' }] },
];
