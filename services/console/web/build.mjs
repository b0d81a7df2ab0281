// Builds the page into ../dist/web, of which the server serves each file; index.html at /. Part of `npm run build`.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
rmSync(at('../dist/web'), { recursive: true, force: true });
mkdirSync(at('../dist/web'), { recursive: true });
copyFileSync(at('index.html'), at('../dist/web/index.html'));
