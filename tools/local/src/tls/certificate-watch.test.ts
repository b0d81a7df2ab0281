import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificate, CertificateError, CertificateWatch } from '@evenkeel/runtime';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { TestAuthority } from './authority.js';

const authority = new TestAuthority();
const [first, second] = ['first', 'second'].map((name) => authority.issue({ name, hosts: [name] }));
if (!first || !second) throw new Error('two certificates are needed');

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function make() {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
  const put = ({ cert, key }: { cert?: string; key?: string }) => {
    if (cert !== undefined) writeFileSync(files.certFile, cert);
    if (key !== undefined) writeFileSync(files.keyFile, key);
  };
  put(first as { cert: string; key: string });
  const logged: string[] = [];
  const gauges = new Map<string, () => number>();
  const gauge = (name: string, _help: string, read: () => number) => void gauges.set(name, read);
  const say = (level: string) => (_: object, message?: string) => void logged.push(`${level}: ${message}`);
  const log = { info: say('info'), error: say('error') };
  const watch = new CertificateWatch({ files, log, gauge, now: Date.now });
  onTestFinished(() => watch.stop());
  const used: string[] = [];
  const use = ({ names }: Certificate) => void used.push(names);
  const metric = (name: string) => gauges.get(name)?.();
  return { files, put, logged, watch, used, use, metric };
}

const refused =
  'error: new certificate refused, the one before it stays in use; put a certificate and its key there';

describe('a certificate of files', () => {
  it('is read, and its end is a metric in seconds since the epoch', () => {
    const { watch, metric } = make();
    const { names, expiresAtMs } = watch.read();
    expect(names).toBe('DNS:first');
    expect(metric('evenkeel_tls_certificate_expires_timestamp_seconds')).toBe(expiresAtMs / 1_000);
  });

  it.each([
    ['a certificate that is none', { cert: 'nonsense' }, /tls\.crt holds no certificate in PEM/],
    ['a key that is none', { key: 'nonsense' }, /tls\.key holds no private key in PEM without a passphrase/],
    ['the key of another certificate', { key: second.key }, /the key of .*tls\.key is not that of the cert/],
  ])('is refused with what is wrong: %s', (_, content, message) => {
    const { watch, put } = make();
    put(content);
    expect(() => watch.read()).toThrow(CertificateError);
    expect(() => watch.read()).toThrow(message);
  });

  it('is exchanged within two seconds for the one that the files come to hold', async () => {
    const { watch, use, used, put } = make();
    watch.read();
    watch.watch(use);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(used).toEqual([]);
    put(second);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(used).toEqual(['DNS:second']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(used).toHaveLength(1);
  });

  it('waits for the second of the two files without a word, and says once if it does not come', async () => {
    const { watch, use, used, put, logged, metric } = make();
    watch.read();
    watch.watch(use);
    put({ cert: second.cert });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(logged).not.toContain(refused);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(logged.filter((line) => line === refused)).toHaveLength(1);
    expect(metric('evenkeel_tls_certificate_refused')).toBe(1);
    expect(used).toEqual([]);
    put({ key: second.key });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(used).toEqual(['DNS:second']);
    expect(metric('evenkeel_tls_certificate_refused')).toBe(0);
  });

  it('is told of at once, and each time, when somebody asks for a reload', () => {
    const { watch, use, put, logged } = make();
    watch.read();
    watch.watch(use);
    put({ cert: 'nonsense' });
    watch.reload();
    watch.reload();
    expect(logged.filter((line) => line === refused)).toHaveLength(2);
  });

  it('stays when the next one has expired, or whoever is to use it cannot', () => {
    const { watch, put, logged, metric } = make();
    const { expiresAtMs } = watch.read();
    watch.watch(() => {
      throw new Error('not by me');
    });
    put(authority.issue({ name: 'late', hosts: ['late'], expiresAtMs: Date.now() - 1_000 }));
    watch.reload();
    put(second);
    watch.reload();
    expect(logged.filter((line) => line === refused)).toHaveLength(2);
    expect(metric('evenkeel_tls_certificate_expires_timestamp_seconds')).toBe(expiresAtMs / 1_000);
  });

  it('survives files that go', async () => {
    const { watch, use, files, logged, put, used } = make();
    watch.read();
    watch.watch(use);
    rmSync(files.keyFile);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(logged).toContain(refused);
    put(second);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(used).toEqual(['DNS:second']);
  });
});
