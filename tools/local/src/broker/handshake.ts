import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** What came of one attempt to log in to a broker. */
export type HandshakeResult =
  | { readonly outcome: 'accepted'; readonly version: string }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'silent'; readonly reason: string };

const methodFrame = 1;
const frameEnd = 0xce;
const tune = 'connection.tune';
const methods = new Map<number, string>([
  [(10 << 16) | 10, 'connection.start'],
  [(10 << 16) | 30, tune],
  [(10 << 16) | 41, 'connection.open-ok'],
  [(10 << 16) | 50, 'connection.close'],
]);

/**
 * Logs in to an AMQP 0-9-1 broker and opens the URL's vhost, then hangs up. `refused`: an AMQP broker
 * answered and said no. `silent`: nothing there, or not AMQP. Never rejects.
 *
 * Written out here, on a bare socket, so that a broker can be found and awaited before anything else
 * of the project is compiled.
 */
export function handshake(amqpUrl: string, timeoutMs = 3000): Promise<HandshakeResult> {
  return new Promise((resolve) => {
    const url = new URL(amqpUrl);
    const user = decodeURIComponent(url.username) || 'guest';
    const password = decodeURIComponent(url.password) || 'guest';
    const vhost = url.pathname.length > 1 ? decodeURIComponent(url.pathname.slice(1)) : '/';
    const socket = open(url);
    let received = Buffer.alloc(0);
    let version = 'unknown';
    let isAmqp = false;

    const timer = setTimeout(() => end({ outcome: 'silent', reason: 'no answer in time' }), timeoutMs);
    const end = (result: HandshakeResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };

    socket.on('error', (error) => end({ outcome: 'silent', reason: describe(error) }));
    socket.on('close', () => {
      if (isAmqp) end({ outcome: 'refused', reason: `user ${user} was turned away` });
      else end({ outcome: 'silent', reason: 'what listens there does not speak AMQP 0-9-1' });
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let frame = takeFrame(); frame !== undefined; frame = takeFrame()) onMethod(frame);
    });
    socket.write('AMQP\x00\x00\x09\x01', 'latin1');

    function takeFrame(): Buffer | undefined {
      if (received.length < 8) return undefined;
      const size = received.readUInt32BE(3);
      // A server of another protocol sends text, which reads as an absurd size.
      if (received[0] !== methodFrame || size > 131_072) {
        end({ outcome: 'silent', reason: 'what listens there does not speak AMQP 0-9-1' });
        return undefined;
      }
      if (received.length < size + 8) return undefined;
      const payload = received.subarray(7, 7 + size);
      received = received.subarray(size + 8);
      return payload;
    }

    function onMethod(payload: Buffer): void {
      const name = methods.get(payload.readUInt32BE(0));
      if (name === 'connection.start') {
        isAmqp = true;
        version = /version\S....(\d+(?:\.\d+)+)/s.exec(payload.toString('latin1'))?.[1] ?? version;
        socket.write(startOk(user, password));
      } else if (name === tune) {
        socket.write(tuneOk(payload));
        socket.write(openVhost(vhost));
      } else if (name === 'connection.open-ok') {
        end({ outcome: 'accepted', version });
      } else if (name === 'connection.close') {
        const text = payload.subarray(7, 7 + (payload[6] ?? 0)).toString();
        end({ outcome: 'refused', reason: text });
      }
    }
  });
}

function open(url: URL): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1';
  if (url.protocol === 'amqps:') {
    return connectTls({ host, port: Number(url.port) || 5671, servername: host });
  }
  return connectTcp({ host, port: Number(url.port) || 5672 });
}

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === 'ECONNREFUSED') return 'nothing listens there';
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return 'the host name is unknown';
  return error.code ?? error.message;
}

function method(classId: number, methodId: number, ...args: Buffer[]): Buffer {
  const payload = Buffer.concat([Buffer.from([0, classId, 0, methodId]), ...args]);
  const head = Buffer.alloc(7);
  head.writeUInt8(methodFrame, 0);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([frameEnd])]);
}

function shortString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function longString(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function startOk(user: string, password: string): Buffer {
  // Without this capability the broker answers a wrong password with seconds of silence.
  const capability = Buffer.concat([shortString('authentication_failure_close'), Buffer.from('t\x01')]);
  const properties = Buffer.concat([
    shortString('capabilities'),
    Buffer.from('F'),
    longString(capability.toString('latin1')),
  ]);
  const credentials = longString(`\0${user}\0${password}`);
  return method(
    10,
    11,
    longString(properties.toString('latin1')),
    shortString('PLAIN'),
    credentials,
    shortString('en_US'),
  );
}

function tuneOk(tunePayload: Buffer): Buffer {
  // The broker's own channel-max and frame-max; heartbeats off, for a connection this short.
  return method(10, 31, tunePayload.subarray(4, 10), Buffer.from([0, 0]));
}

function openVhost(vhost: string): Buffer {
  return method(10, 40, shortString(vhost), Buffer.from([0]), Buffer.from([0]));
}
