import { join, relative } from 'node:path';
import { parseFlags, reportFailure } from '@evenkeel/local';
import { packAll } from './index.js';

const root = join(import.meta.dirname, '..', '..', '..');
const help = `npm run pack -- [flags]

Makes a tarball of each public package that works without this repository: npm install FILE.

  --out FOLDER   where to (dist-packages)
  --json         one JSON object on standard output and nothing else
  --help
`;

try {
  const flags = parseFlags(process.argv.slice(2), {
    out: { type: 'string', default: join(root, 'dist-packages') },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) process.stdout.write(help);
  else {
    if (!flags.json) process.stdout.write('Building and packing …\n');
    const packed = await packAll(root, flags.out);
    if (flags.json) process.stdout.write(`${JSON.stringify({ packages: packed }, null, 2)}\n`);
    else {
      for (const { file, sizeBytes, dependencies } of packed) {
        const needs = dependencies.length === 0 ? 'nothing' : dependencies.join(', ');
        process.stdout.write(
          `${relative(process.cwd(), file)}  ${Math.ceil(sizeBytes / 1_024)} KiB, needs ${needs}\n`,
        );
      }
    }
  }
} catch (error) {
  process.exitCode = reportFailure(error);
}
