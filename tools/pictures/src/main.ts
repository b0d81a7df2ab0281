import { parseFlags, reportFailure, UsageError } from '@evenkeel/local';
import { consolePictures, wallPicture } from './console.js';
import { demoPictures } from './demo.js';
import { examplePictures } from './examples.js';

const help = `npm run screenshots -- [--only demo|console|examples]

Makes docs/images anew: each picture is of a real run in headless Chromium, and nothing is retouched. The one of a thousand
nodes alone shows a mesh that is simulated. Needs Chromium and what npm start needs.
`;

try {
  const { only, help: isAsked } = parseFlags(process.argv.slice(2), {
    only: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  });
  if (!['', 'demo', 'console', 'examples'].includes(only))
    throw new UsageError(`--only takes demo, console or examples, not "${only}".`);
  if (isAsked) process.stdout.write(help);
  else {
    if (only === '' || only === 'console') {
      await wallPicture();
      await consolePictures();
    }
    if (only === '' || only === 'demo') await demoPictures();
    if (only === '' || only === 'examples') await examplePictures();
  }
} catch (error) {
  process.exitCode = reportFailure(error);
}
