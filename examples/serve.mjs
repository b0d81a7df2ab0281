// Serves the page of an example, as your own web server would: node examples/serve.mjs chat
// More arguments: the port (8000), and the gateway's address, else it is where the mesh of `npm start` is. Ctrl-C stops.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addressOf } from './address.mjs';

const [example = 'chat', port = '8000', given] = process.argv.slice(2);
const gateway = addressOf('gateway', given);

const folder = join(import.meta.dirname, example);
const sdk = fileURLToPath(import.meta.resolve('@evenkeel/client/browser/full'));
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' };

async function answer(path) {
  if (path === '/config.json') return ['application/json', JSON.stringify({ gateway })];
  const file = path === '/evenkeel.js' ? sdk : join(folder, normalize(path === '/' ? '/index.html' : path));
  return [types[extname(file)] ?? 'text/plain', await readFile(file)];
}

const server = createServer(async (request, response) => {
  try {
    const [type, body] = await answer(new URL(request.url, 'http://page').pathname);
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(Number(port), '127.0.0.1', () => {
  console.log(`${example}: http://127.0.0.1:${server.address().port}/?user=alice`);
});

process.once('SIGINT', () => {
  server.close();
  server.closeAllConnections();
});
