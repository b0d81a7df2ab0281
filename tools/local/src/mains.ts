import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The services a mesh is made of. */
export type Role = 'edge' | 'gateway' | 'balancer' | 'console' | 'api' | 'demo' | 'crowd';

/** What is compiled of each, from the repository's root. */
const mains: Readonly<Record<Role, string>> = {
  edge: 'services/edge/dist/main.js',
  gateway: 'services/gateway/dist/main.js',
  balancer: 'services/balancer/dist/main.js',
  console: 'services/console/dist/main.js',
  api: 'services/api/dist/main.js',
  demo: 'services/demo/dist/main.js',
  crowd: 'services/demo/dist/crowd/main.js',
};

/** What to run of a compiled checkout: the service in one file, where nothing has been compiled or installed since that was made. */
export function mainOf(role: Role, checkout: string): string {
  const main = mains[role];
  const bundled = join(dirname(main), 'bundled', 'main.js');
  const madeMs = timeOf(join(checkout, bundled));
  if (madeMs === undefined || role === 'crowd') return main;
  return compiledIn(checkout).every((path) => (timeOf(path) ?? 0) <= madeMs) ? bundled : main;
}

/** What changes whenever something is compiled or installed. */
const compiledIn = (checkout: string): string[] => [
  join(checkout, 'node_modules', '.package-lock.json'),
  ...['services', 'libs', 'packages'].flatMap((folder) =>
    readdirSync(join(checkout, folder)).map((name) => join(checkout, folder, name, 'tsconfig.tsbuildinfo')),
  ),
];

const timeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.mtimeMs;
