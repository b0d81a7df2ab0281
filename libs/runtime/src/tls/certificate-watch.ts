import { statSync } from 'node:fs';
import { type Certificate, CertificateError, type CertificateFiles, readCertificate } from './certificate.js';

/** How often the files are looked at, ms. */
const lookEveryMs = 2_000;

export interface CertificateWatchOptions {
  readonly files: CertificateFiles;
  readonly log: { info(fields: object, message: string): void; error(fields: object, message: string): void };
  /** Keeps a gauge that is read when it is scraped. */
  readonly gauge: (name: string, help: string, read: () => number) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * The certificate that two files hold, and each later one that they come to hold. One that cannot be used leaves the one before it in
 * use, with an error in the log, and `evenkeel_tls_certificate_refused` at 1 until the files hold a good one. Not a `FSWatcher`: what
 * mounts secrets exchanges a link above the files.
 */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  #current: Certificate | undefined;
  #use: (certificate: Certificate) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  /** What the files were like when the current one was read from them, or one that was refused. */
  #seen = '';
  /** What they were like when they could not be used, once: the other file of the two may be about to follow. */
  #doubted: string | undefined;
  #isRefused = false;

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
    options.gauge(
      'evenkeel_tls_certificate_expires_timestamp_seconds',
      'When the certificate in use expires, in seconds since the epoch',
      () => (this.#current?.expiresAtMs ?? 0) / 1_000,
    );
    options.gauge(
      'evenkeel_tls_certificate_refused',
      '1: the files hold a certificate that cannot be used; the one before it still is',
      () => Number(this.#isRefused),
    );
  }

  /** Reads the first one. @throws CertificateError */
  read(): Certificate {
    this.#seen = this.#look();
    this.#current = readCertificate(this.#options.files);
    const { names, expiresAtMs } = this.#current;
    const expires = new Date(expiresAtMs).toISOString();
    if (expiresAtMs <= this.#options.now()) {
      this.#options.log.error({ names, expires }, 'the certificate has expired: clients refuse it; renew it');
    } else this.#options.log.info({ names, expires }, 'certificate read');
    return this.#current;
  }

  /** From now on `use` gets each later one; where it throws, that one is refused. */
  watch(use: (certificate: Certificate) => void): void {
    this.#use = use;
    this.#timer = setInterval(() => this.#tick(false), lookEveryMs);
  }

  /** Looks at once, and tells of what cannot be used even where it has been told of. */
  reload(): void {
    if (this.#timer !== undefined) this.#tick(true);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(isAsked: boolean): void {
    const look = this.#look();
    if (look === this.#seen && !isAsked) return;
    try {
      this.#take(look);
    } catch (error) {
      if (!isAsked && this.#doubted !== look) {
        this.#doubted = look;
        return;
      }
      this.#seen = look;
      this.#isRefused = true;
      this.#options.log.error(
        { err: error, ...this.#options.files },
        'new certificate refused, the one before it stays in use; put a certificate and its key there',
      );
    }
  }

  /** @throws what is wrong with what the files hold. */
  #take(look: string): void {
    const certificate = readCertificate(this.#options.files);
    const { names, expiresAtMs, fingerprint } = certificate;
    const expires = new Date(expiresAtMs).toISOString();
    if (fingerprint !== this.#current?.fingerprint || certificate.cert !== this.#current.cert) {
      if (expiresAtMs <= this.#options.now()) throw new CertificateError(`it expired at ${expires}`);
      this.#use(certificate);
      this.#options.log.info({ names, expires }, 'new certificate in use');
    }
    this.#current = certificate;
    this.#seen = look;
    this.#isRefused = false;
  }

  /** Changes with either file. */
  #look(): string {
    const { certFile, keyFile } = this.#options.files;
    return [certFile, keyFile].map(looksOf).join();
  }
}

function looksOf(file: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${ino}.${size}.${mtimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
