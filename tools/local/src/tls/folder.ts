import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IssuedCertificate, TestAuthority } from './authority.js';

/** An authority with a folder of its own: `ca.pem`, and the certificate of a service that is exchanged while it runs. */
export class CertificateFolder {
  readonly authority = new TestAuthority();
  readonly folder = mkdtempSync(join(tmpdir(), 'evenkeel-tls-'));
  readonly caFile = join(this.folder, 'ca.pem');
  readonly certFile = join(this.folder, 'tls.crt');
  readonly keyFile = join(this.folder, 'tls.key');

  constructor() {
    writeFileSync(this.caFile, this.authority.cert);
  }

  /** Issues a certificate and puts it where services read it. */
  serve(name: string, hosts: readonly string[] = ['localhost', '127.0.0.1', '::1']): IssuedCertificate {
    const issued = this.authority.issue({ name, hosts });
    this.put(issued);
    return issued;
  }

  put({ cert, key }: IssuedCertificate): void {
    for (const [file, text] of [
      [this.certFile, cert],
      [this.keyFile, key],
    ] as const) {
      writeFileSync(`${file}.new`, text, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    }
  }

  /** The settings of an edge or a gateway, without the prefix `EVENKEEL_`. */
  get settings() {
    return {
      TLS_CERT_FILE: this.certFile,
      TLS_KEY_FILE: this.keyFile,
      NODE_EXTRA_CA_CERTS: this.caFile,
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
