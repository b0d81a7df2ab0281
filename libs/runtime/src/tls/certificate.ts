import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** A certificate with its key, as two files have them. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What is shown to clients: read, checked, and of one piece. */
export interface Certificate extends CertificateFiles {
  /** The certificate and those of the authorities between it and the root, PEM. */
  readonly cert: string;
  /** PEM, without a passphrase. */
  readonly key: string;
  readonly expiresAtMs: number;
  /** The names and addresses that it is for, as a log has them. */
  readonly names: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
}

/** Two files that are no certificate with its key; the message says why. */
export class CertificateError extends Error {
  readonly code = 'bad-certificate';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CertificateError';
  }
}

/** Reads both files and checks that they belong together. An expired certificate is read too. @throws CertificateError */
export function readCertificate({ certFile, keyFile }: CertificateFiles): Certificate {
  return checkedCertificate({ certFile, keyFile, cert: textOf(certFile), key: textOf(keyFile) });
}

/** @throws CertificateError */
function checkedCertificate(read: CertificateFiles & { cert: string; key: string }): Certificate {
  const { certFile, keyFile, cert, key } = read;
  const parsed = attempt(`${certFile} holds no certificate in PEM`, () => new X509Certificate(cert));
  const privateKey = attempt(`${keyFile} holds no private key in PEM without a passphrase`, () =>
    createPrivateKey(key),
  );
  if (!parsed.checkPrivateKey(privateKey)) {
    throw new CertificateError(`the key of ${keyFile} is not that of the certificate in ${certFile}`);
  }
  attempt(`${certFile} with ${keyFile} cannot be used for TLS`, () => createSecureContext({ cert, key }));
  return {
    ...read,
    expiresAtMs: Date.parse(parsed.validTo),
    names: parsed.subjectAltName ?? parsed.subject,
    fingerprint: parsed.fingerprint256,
  };
}

function textOf(file: string): string {
  return attempt(`cannot read ${file}`, () => readFileSync(file, 'utf8'));
}

function attempt<T>(fault: string, fn: () => T): T {
  try {
    return fn();
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new CertificateError(`${fault} (${why})`, cause);
  }
}
