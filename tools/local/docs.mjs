import { runCommand } from './bootstrap.mjs';

await runCommand('docs');
