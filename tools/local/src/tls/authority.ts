import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its key, PEM. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface IssueOptions {
  /** The common name. */
  name: string;
  /** Names and addresses of a server. None: it is a client's. */
  hosts?: readonly string[];
  /** Milliseconds since the epoch. Default: in a day. */
  expiresAtMs?: number;
}

const dayMs = 86_400_000;

/** An authority of its own for tests, which nobody trusts but who is told to. */
export class TestAuthority {
  /** PEM: what clients are to trust. */
  readonly cert: string;
  readonly #key: KeyObject;
  readonly #name: string;
  readonly #keyId: Buffer;

  constructor(name = 'Evenkeel test authority') {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    this.#name = name;
    this.#keyId = keyIdOf(publicKey);
    const extensions = [
      extension(oids.basicConstraints, sequence(boolean(true)), true),
      // keyCertSign and cRLSign: bits 5 and 6, one unused at the end.
      extension(oids.keyUsage, tagged(3, Buffer.from([1, 0b110])), true),
    ];
    this.cert = this.#certificate(name, publicKey, Date.now() + 30 * dayMs, extensions);
  }

  issue({ name, hosts = [], expiresAtMs = Date.now() + dayMs }: IssueOptions): IssuedCertificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const usage = hosts.length === 0 ? oids.clientAuth : oids.serverAuth;
    const extensions = [
      extension(oids.extendedKeyUsage, sequence(oid(usage))),
      ...(hosts.length === 0 ? [] : [extension(oids.subjectAltName, sequence(...hosts.map(altName)))]),
    ];
    const cert = this.#certificate(name, publicKey, expiresAtMs, extensions);
    return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  #certificate(name: string, key: KeyObject, expiresAtMs: number, extensions: readonly Buffer[]): string {
    const algorithm = sequence(oid(oids.ecdsaWithSha256));
    const all = [
      ...extensions,
      extension(oids.subjectKeyIdentifier, tagged(4, keyIdOf(key))),
      extension(oids.authorityKeyIdentifier, sequence(tagged(0x80, this.#keyId))),
    ];
    const beginsAtMs = Math.min(Date.now(), expiresAtMs) - dayMs;
    const body = sequence(
      tagged(0xa0, tagged(2, Buffer.from([2]))),
      tagged(2, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
      algorithm,
      distinguishedName(this.#name),
      sequence(time(beginsAtMs), time(expiresAtMs)),
      distinguishedName(name),
      key.export({ type: 'spki', format: 'der' }),
      tagged(0xa3, sequence(...all)),
    );
    const signature = sign('sha256', body, this.#key);
    const der = sequence(body, algorithm, tagged(3, Buffer.concat([Buffer.from([0]), signature])));
    const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
    return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  }
}

const keyIdOf = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();

// What of DER (ITU-T X.690) a certificate (RFC 5280) needs.

const oids = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  subjectKeyIdentifier: '2.5.29.14',
  authorityKeyIdentifier: '2.5.29.35',
  subjectAltName: '2.5.29.17',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const long = length < 128 ? [] : length < 256 ? [0x81] : [0x82, length >> 8];
  return Buffer.concat([Buffer.from([tag, ...long, length & 255]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));
const boolean = (value: boolean): Buffer => tagged(1, Buffer.from([value ? 0xff : 0]));
const time = (atMs: number): Buffer =>
  tagged(0x18, Buffer.from(new Date(atMs).toISOString().replace(/[-:T]|\.\d+/g, '')));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = rest.flatMap((number) => {
    const digits = [number & 127];
    for (let left = number >> 7; left > 0; left >>= 7) digits.unshift((left & 127) | 128);
    return digits;
  });
  return tagged(6, Buffer.from([first * 40 + second, ...bytes]));
}

const distinguishedName = (name: string): Buffer =>
  sequence(tagged(0x31, sequence(oid(oids.commonName), tagged(0x0c, Buffer.from(name)))));

const extension = (id: string, value: Buffer, isCritical = false): Buffer =>
  sequence(oid(id), ...(isCritical ? [boolean(true)] : []), tagged(4, value));

function altName(host: string): Buffer {
  if (isIP(host) === 0) return tagged(0x82, Buffer.from(host));
  if (isIP(host) === 4) return tagged(0x87, Buffer.from(host.split('.').map(Number)));
  const [head = '', tail = ''] = host.split('::');
  const words = (text: string) =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const [before, after] = [words(head), words(tail)];
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return tagged(0x87, Buffer.from(all.flatMap((word) => [word >> 8, word & 255])));
}
