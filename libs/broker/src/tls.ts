import { readFileSync } from 'node:fs';
import { credentials } from 'amqplib';
import { BrokerError, messageOf } from './errors.js';
import type { BrokerTls } from './types.js';

/** What amqplib's `connect` takes of TLS. */
interface SocketTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly credentials?: ReturnType<typeof credentials.external>;
}

/** @throws BrokerError `bad-address` for what cannot be meant. */
export function checkTls(addresses: readonly URL[], tls: BrokerTls | undefined): void {
  if (tls === undefined) return;
  const fault =
    addresses.find(({ protocol }) => protocol !== 'amqps:') !== undefined
      ? 'files or a server name for TLS are given and the address is amqp://; use amqps://'
      : (tls.certFile === undefined) !== (tls.keyFile === undefined)
        ? 'of the client certificate and its key one is given alone; give both'
        : tls.isExternal && tls.certFile === undefined
          ? 'the login by certificate needs one: give the client certificate and its key'
          : tls.isExternal && addresses.some(({ username }) => username === '')
            ? 'the address names no user: write the one that the client certificate is for, amqps://edge@host:5671'
            : undefined;
  if (fault !== undefined) throw new BrokerError('bad-address', fault);
}

/** Reads the files anew, so that a reconnect has what has been renewed. @throws Error when one cannot be read. */
export function socketTls(tls: BrokerTls | undefined): SocketTls {
  if (tls === undefined) return {};
  const { caFile, certFile, keyFile, serverName, isExternal } = tls;
  return {
    ...(caFile !== undefined && { ca: textOf(caFile) }),
    ...(certFile !== undefined && { cert: textOf(certFile) }),
    ...(keyFile !== undefined && { key: textOf(keyFile) }),
    ...(serverName !== undefined && { servername: serverName }),
    ...(isExternal && { credentials: credentials.external() }),
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`cannot read ${file} (${(cause as NodeJS.ErrnoException).code ?? messageOf(cause)})`, {
      cause,
    });
  }
}

const untrusted =
  'trust the authority of its certificate: EVENKEEL_AMQP_CA_FILE (tls.caFile), or NODE_EXTRA_CA_CERTS before the start';
const hints: ReadonlyMap<unknown, string> = new Map([
  ['SELF_SIGNED_CERT_IN_CHAIN', untrusted],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', untrusted],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'give the name that its certificate is for: EVENKEEL_AMQP_SERVER_NAME (tls.serverName)',
  ],
  ['CERT_HAS_EXPIRED', 'renew its certificate'],
]);

/** What to do about an error of connecting. */
export function hintFor(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return hints.get(code) ?? 'check that it runs and the address is right';
}
