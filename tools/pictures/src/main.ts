import { parseFlags, reportFailure, UsageError } from '@evenkeel/local';
import { consolePictures, wallPicture } from './console.js';
import { demoPictures } from './demo.js';

const help = `npm run screenshots -- [--only demo|console]

Makes docs/images anew: each picture is of a real run in headless Chromium, and nothing is retouched. The one of a thousand
nodes alone shows a mesh that is simulated. Needs Chromium and what npm start needs.
`;

try {
  const { only, help: isAsked } = parseFlags(process.argv.slice(2), {
    only: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  });
  if (!['', 'demo', 'console'].includes(only))
    throw new UsageError(`--only takes demo or console, not "${only}".`);
  if (isAsked) process.stdout.write(help);
  else {
    if (only !== 'demo') {
      await wallPicture();
      await consolePictures();
    }
    if (only !== 'console') await demoPictures();
  }
} catch (error) {
  process.exitCode = reportFailure(error);
}
