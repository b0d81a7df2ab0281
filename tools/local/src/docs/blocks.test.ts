import { expect, test } from 'vitest';
import { blocksOf, mannerOf } from './blocks.js';

const text = `# Title

\`\`\`sh
npm start
\`\`\`

1. Indented:

   \`\`\`js
   console.log('\`\`');
   \`\`\`

<!-- not run: it needs a container engine -->
\`\`\`sh
docker compose up
\`\`\`

<!-- goes on -->
\`\`\`sh
tail -f log
\`\`\`

<!-- in an empty project -->
\`\`\`sh
npm install x
\`\`\`

\`\`\`html
<p>
\`\`\`

\`\`\`
a drawing
\`\`\`
`;

test('finds every block with its line, language and text, and why one is not run', () => {
  expect(blocksOf('a.md', text)).toEqual([
    { document: 'a.md', line: 3, language: 'sh', text: 'npm start' },
    { document: 'a.md', line: 9, language: 'js', text: "console.log('``');" },
    {
      document: 'a.md',
      line: 14,
      language: 'sh',
      text: 'docker compose up',
      notRun: 'it needs a container engine',
    },
    { document: 'a.md', line: 19, language: 'sh', text: 'tail -f log', goesOn: true },
    { document: 'a.md', line: 24, language: 'sh', text: 'npm install x', ownProject: true },
    { document: 'a.md', line: 28, language: 'html', text: '<p>' },
    { document: 'a.md', line: 32, language: '', text: 'a drawing' },
  ]);
});

test('runs what it knows how to run; a drawing is none', () => {
  expect(blocksOf('a.md', text).map(mannerOf)).toEqual([
    'shell',
    'module',
    'shell',
    'shell',
    'shell',
    'page',
    'none',
  ]);
});
