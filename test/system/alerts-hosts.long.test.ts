import { CertificateFolder } from '@evenkeel/local';
import { dashboards, expressionsOf, metricsOf, rules } from '@evenkeel/observability';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { HostClocks } from '../support/host-clocks.js';
import { WatchedMesh } from '../support/watched-mesh.js';

test('EvenkeelClockOff fires when the clock of a host is off', async () => {
  const clocks = new HostClocks();
  clocks.set('edge-1', 7_000);
  const world = await WatchedMesh.start({ edges: 3 });
  onTestFinished(() => world.stop());
  expect(await world.prometheus.fires('EvenkeelClockOff')).toMatchObject({ to: 'edge-1' });
});

describe('a mesh that serves clients by TLS', () => {
  let world: WatchedMesh;
  let certificates: CertificateFolder;

  beforeAll(async () => {
    certificates = new CertificateFolder();
    certificates.serve('mesh');
    vi.stubEnv('NODE_EXTRA_CA_CERTS', certificates.caFile);
    world = await WatchedMesh.start({ tls: certificates });
    return async () => {
      await world.stop();
      vi.unstubAllEnvs();
      certificates.remove();
    };
  });

  test('has every metric that a dashboard or a rule asks for, and Prometheus understands how', async () => {
    const texts = await Promise.all(
      world.mesh.members.map(async ({ opsUrl }) => (await fetch(`${opsUrl}/metrics`)).text()),
    );
    const there = texts.flatMap((text) => [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name));
    const recorded = rules().flatMap(({ record }) => record ?? []);
    const known = new Set([...there, 'up', 'ALERTS', ...recorded]);
    const asked = [
      ...dashboards.flatMap((each) => expressionsOf(each, '1m')),
      ...rules().map(({ expr }) => expr),
    ];
    expect(asked.flatMap(metricsOf).filter((name) => !known.has(name))).toEqual([]);
    for (const expr of asked) await world.prometheus.query(expr);
  });

  test('EvenkeelCertificateExpires fires when its certificate is good for a day', async () => {
    await world.prometheus.fires('EvenkeelCertificateExpires');
  });

  test('EvenkeelCertificateRefused fires when what is put there is no certificate, and rests when it is one', async () => {
    certificates.put({ cert: 'no certificate', key: 'no key' });
    await world.prometheus.fires('EvenkeelCertificateRefused');
    certificates.serve('mesh');
    await world.prometheus.rests('EvenkeelCertificateRefused');
  });
});
