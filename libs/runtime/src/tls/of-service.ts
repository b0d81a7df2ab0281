import { observeGauge } from '../observed.js';
import type { ServiceContext } from '../run-service.js';
import { CertificateWatch } from './certificate-watch.js';

/** The certificate that a service's `tlsSettings` name, read again on SIGHUP too; undefined: they name none. */
export function certificatesOf(
  { tlsCertFile, tlsKeyFile }: { tlsCertFile?: string | undefined; tlsKeyFile?: string | undefined },
  { log, ops, onReload }: Pick<ServiceContext, 'log' | 'ops' | 'onReload'>,
): CertificateWatch | undefined {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined;
  const watch = new CertificateWatch({
    files: { certFile: tlsCertFile, keyFile: tlsKeyFile },
    log,
    gauge: (name, help, read) => observeGauge(ops.metrics, name, help, read),
    now: Date.now,
  });
  onReload(() => watch.reload());
  return watch;
}
