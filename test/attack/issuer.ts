import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** How the issuer answers a question for its keys. */
const modes = {
  good: (response: ServerResponse, keys: string) => response.end(keys),
  fails: (response: ServerResponse) => response.writeHead(500).end('down'),
  /** Until the other side gives up. */
  slow: (response: ServerResponse) => response.writeHead(200).write('{"keys": ['),
  huge: (response: ServerResponse, keys: string) => {
    const filler = 'x'.repeat(1024 * 1024);
    const more = (left: number): void => {
      if (left === 0) response.end(`", ${keys.slice(1)}`);
      else if (!response.destroyed) response.write(filler, () => more(left - 1));
    };
    response.writeHead(200).write('{"filler": "');
    more(300);
  },
  redirect: (response: ServerResponse) => response.writeHead(302, { location: '/elsewhere' }).end(),
  html: (response: ServerResponse) => response.end('<h1>Sign in</h1>'),
} as const;

export type IssuerMode = keyof typeof modes;

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

interface State {
  mode: IssuerMode;
  asked: number;
}

/** Who signs the tokens of a gateway with a key set: it answers well, or as it is told to. */
export class Issuer {
  readonly url: string;
  readonly certificate: string;
  readonly #keys: KeyPair;
  readonly #state: State;
  readonly #close: () => void;

  private constructor(
    { port, certificate, keys, state }: { port: number; certificate: string; keys: KeyPair; state: State },
    close: () => void,
  ) {
    this.url = `https://localhost:${port}`;
    this.certificate = certificate;
    this.#keys = keys;
    this.#state = state;
    this.#close = close;
  }

  /** @param tls the folder with a certificate for `localhost` and its key */
  static async start(tls: string): Promise<Issuer> {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256' };
    const text = JSON.stringify({ keys: [jwk] });
    const state: State = { mode: 'good', asked: 0 };
    const certificate = join(tls, 'cert.pem');
    const pair = { cert: readFileSync(certificate), key: readFileSync(join(tls, 'key.pem')) };
    const server = createServer(pair, (request, response) => {
      response.on('error', () => undefined);
      if (request.url === '/elsewhere') response.end(text);
      else {
        state.asked++;
        modes[state.mode](response, text);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return new Issuer({ port, certificate, keys, state }, () => {
      server.closeAllConnections();
      server.close();
    });
  }

  /** Answers so from now on; returns how often it was asked since this was said last. */
  become(mode: IssuerMode): number {
    const { asked } = this.#state;
    Object.assign(this.#state, { mode, asked: 0 });
    return asked;
  }

  /** A token that its key set vouches for, or seems to. */
  token(claims: object, header: object = { alg: 'ES256', kid: 'one' }): string {
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${encoded(header)}.${encoded(claims)}`;
    const key = { key: this.#keys.privateKey, dsaEncoding: 'ieee-p1363' as const };
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  }

  close(): void {
    this.#close();
  }
}
