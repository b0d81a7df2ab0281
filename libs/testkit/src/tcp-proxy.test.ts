import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { TcpProxy } from './tcp-proxy.js';

/** A proxy to a server that sends back what it gets. */
async function echo(): Promise<TcpProxy> {
  const server = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await TcpProxy.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  onTestFinished(async () => {
    await proxy.close();
    server.close();
  });
  return proxy;
}

async function dial(proxy: TcpProxy): Promise<{ socket: Socket; said: () => string }> {
  const socket = connect(proxy.port, '127.0.0.1');
  // The proxy resets what is open when it is closed.
  socket.on('error', () => undefined);
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString();
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, said: () => text };
}

const comes = (said: () => string, text: string) => expect.poll(said).toBe(text);

it('brings what was held back once, on old connections and on those that were made meanwhile', async () => {
  const proxy = await echo();
  const old = await dial(proxy);
  old.socket.write('a');
  await comes(old.said, 'a');
  proxy.pauseAnswers();
  old.socket.write('b');
  const fresh = await dial(proxy);
  fresh.socket.write('c');
  await comes(fresh.said, 'c');
  expect(old.said()).toBe('a');
  proxy.resume();
  fresh.socket.write('d');
  await comes(old.said, 'ab');
  await comes(fresh.said, 'cd');
});

it('is the same for all after a freeze that is ended twice', async () => {
  const proxy = await echo();
  const { socket, said } = await dial(proxy);
  proxy.pause();
  socket.write('a');
  proxy.resume();
  proxy.resume();
  socket.write('b');
  await comes(said, 'ab');
});
