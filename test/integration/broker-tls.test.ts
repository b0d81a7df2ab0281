import { once } from 'node:events';
import { type AddressInfo, connect as dial } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { Broker, type BrokerTls } from '@evenkeel/broker';
import { CertificateFolder } from '@evenkeel/local';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freshVhost } from '../support/broker.js';

let certificates: CertificateFolder;
let amqpUrl: string;

beforeAll(async () => {
  certificates = new CertificateFolder();
  ({ amqpUrl } = await freshVhost());
});
afterAll(() => certificates.remove());

/** A port that asks for a client certificate; whoever has one is handed on. @returns its port. */
async function listen(onClient: (socket: TLSSocket) => void): Promise<number> {
  const { cert, key } = certificates.authority.issue({ name: 'broker', hosts: ['rabbit.internal'] });
  const server = createServer(
    { cert, key, ca: certificates.authority.cert, requestCert: true, rejectUnauthorized: true },
    (socket) => {
      socket.on('error', () => {});
      onClient(socket);
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** The tests' broker behind TLS; tells whose certificate came. */
async function brokerBehindTls() {
  const target = new URL(amqpUrl);
  const names: string[] = [];
  const port = await listen((socket) => {
    names.push(String(socket.getPeerCertificate().subject.CN));
    const upstream = dial(Number(target.port), target.hostname);
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  const url = new URL(amqpUrl);
  url.protocol = 'amqps:';
  url.host = `127.0.0.1:${port}`;
  return { url: url.href, names };
}

function clientFiles(): Required<Pick<BrokerTls, 'caFile' | 'certFile' | 'keyFile' | 'serverName'>> {
  certificates.put(certificates.authority.issue({ name: 'edge' }));
  const { caFile, certFile, keyFile } = certificates;
  return { caFile, certFile, keyFile, serverName: 'rabbit.internal' };
}

const connect = async (url: string, tls?: BrokerTls) => {
  const broker = await Broker.connect({ url, name: 'tls tests', attempts: 1, ...(tls && { tls }) });
  onTestFinished(() => broker.close());
  return broker;
};

describe('a connection to RabbitMQ by TLS', () => {
  it('trusts the authority that it is given, shows its certificate, and checks the name', async () => {
    const { url, names } = await brokerBehindTls();
    const tls = clientFiles();
    const broker = await connect(url, tls);
    await broker.topology().declareQueue({ name: 'over-tls', durable: false, exclusive: true });
    expect(names).toEqual(['edge']);
    const { serverName: _, ...withoutName } = tls;
    await expect(connect(url, withoutName)).rejects.toThrow(/EVENKEEL_AMQP_SERVER_NAME \(tls\.serverName\)/);
    await expect(connect(url)).rejects.toThrow(/EVENKEEL_AMQP_CA_FILE \(tls\.caFile\)/);
    await expect(connect(url, { ...tls, caFile: '/nowhere.pem' })).rejects.toThrow(
      /cannot read \/nowhere\.pem/,
    );
  });

  it('reads its files anew at each connect, so that a renewed certificate counts from the next one on', async () => {
    const { url, names } = await brokerBehindTls();
    const tls = clientFiles();
    const broker = await connect(url, tls);
    await broker.close();
    certificates.put(certificates.authority.issue({ name: 'renewed' }));
    await connect(url, tls);
    expect(names).toEqual(['edge', 'renewed']);
  });

  it('logs in by its certificate if it is told to, without a password', async () => {
    const said: Buffer[] = [];
    const port = await listen((socket) => {
      socket.once('data', () => {
        socket.write(connectionStart);
        socket.once('data', (bytes) => {
          said.push(bytes);
          socket.destroy();
        });
      });
    });
    const tls = { ...clientFiles(), isExternal: true };
    await expect(connect(`amqps://edge@127.0.0.1:${port}`, tls)).rejects.toThrow('does not answer');
    // mechanism, response, locale.
    expect(said[0]?.includes('\x08EXTERNAL\0\0\0\0\x05en_US')).toBe(true);
  });

  it.each([
    ['amqp://edge@host', { caFile: 'ca.pem' }, /the address is amqp:\/\/; use amqps:\/\//],
    ['amqps://edge@host', { certFile: 'edge.crt' }, /one is given alone; give both/],
    ['amqps://edge@host', { isExternal: true }, /the login by certificate needs one/],
    [
      'amqps://host',
      { isExternal: true, certFile: 'edge.crt', keyFile: 'edge.key' },
      /the address names no user: write the one that the client certificate is for/,
    ],
  ])('refuses what cannot be meant: %s with %o', (url, tls, message) => {
    expect(() => new Broker({ url, name: 'tls tests', tls })).toThrow(message);
  });
});

/** The broker's first frame: connection.start, version 0-9, with the two mechanisms. */
const connectionStart = (() => {
  const long = (text: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    return Buffer.concat([length, Buffer.from(text)]);
  };
  const method = Buffer.concat([
    Buffer.from([0, 10, 0, 10, 0, 9]),
    long(''),
    long('PLAIN EXTERNAL'),
    long('en_US'),
  ]);
  const head = Buffer.from([1, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(method.length, 3);
  return Buffer.concat([head, method, Buffer.from([0xce])]);
})();
