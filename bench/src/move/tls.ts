import { once } from 'node:events';
import { connect } from 'node:tls';
import type { CertificateFolder, Mesh } from '@evenkeel/local';
import type { DelaySummary } from '../fleet/delays.js';
import { until } from '../fleet/until.js';
import type { Pace } from './pace.js';

/** The exchange of a certificate under load. */
export interface Exchange {
  /** From the new files until the gateway and every edge show the new certificate, ten times in a row. */
  readonly seconds: number;
  /** Times that a session had no socket meanwhile. */
  readonly disconnected: number;
  readonly movesFailed: number;
  readonly moves: number;
}

/** A result without TLS beside one with it, as far as they are compared. */
interface Compared {
  readonly pace: Pick<Pace, 'perSecond' | 'processors'>;
  readonly delayMs: Readonly<Record<'move' | 'control', DelaySummary>>;
}

export interface TlsOutcome extends Exchange {
  /** With TLS divided by without it. Undefined: there was no run without it. */
  readonly cost?: {
    readonly movesPerSecond: number;
    readonly processors: number;
    readonly moveP50: number;
    readonly delayP50: number;
  };
}

const exchangeTimeoutMs = 60_000;
const looks = 10;

/** Puts a new certificate where the services read it, and waits until all of them show it. @throws Error when they do not. */
export async function exchangeCertificate(
  folder: CertificateFolder,
  { edges, gatewayUrl }: Mesh,
  counts: () => Promise<{ disconnects: number; movesFailed: number; moves: number }>,
): Promise<Exchange> {
  const before = await counts();
  const beganAtMs = Date.now();
  const name = `renewed ${beganAtMs}`;
  folder.serve(name);
  const urls = [gatewayUrl, ...edges.map(({ url }) => url)];
  const areAll = await until(exchangeTimeoutMs, 200, async () => {
    for (const url of urls) {
      for (let look = 0; look < looks; look++) {
        if ((await shownAt(url, folder.authority.cert)) !== name) return false;
      }
    }
    return true;
  });
  if (!areAll)
    throw new Error(`not all services show the new certificate after ${exchangeTimeoutMs / 1_000} s`);
  const after = await counts();
  return {
    seconds: (Date.now() - beganAtMs) / 1_000,
    disconnected: after.disconnects - before.disconnects,
    movesFailed: after.movesFailed - before.movesFailed,
    moves: after.moves - before.moves,
  };
}

async function shownAt(url: string, ca: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), ca });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

/** What TLS costs, as ratios. */
export function costOf(plain: Compared, secure: Compared): NonNullable<TlsOutcome['cost']> {
  const ratio = (read: (of: Compared) => number) =>
    Math.round((read(secure) / Math.max(read(plain), 1e-9)) * 100) / 100;
  return {
    movesPerSecond: ratio(({ pace }) => pace.perSecond),
    processors: ratio(({ pace }) => pace.processors),
    moveP50: ratio(({ delayMs }) => delayMs.move.p50),
    delayP50: ratio(({ delayMs }) => delayMs.control.p50),
  };
}

/** For people. */
export function tlsRows(
  { seconds, disconnected, movesFailed, moves, cost }: TlsOutcome,
  row: (name: string, value: unknown) => string,
): string[] {
  return [
    row(
      'certificate exchanged under load',
      `shown by all after ${seconds} s, ${moves} moves meanwhile (${movesFailed} failed), ${disconnected} sessions without a socket`,
    ),
    ...(cost === undefined
      ? []
      : [
          row(
            'with TLS / without it',
            `moves a second ${cost.movesPerSecond}, processors ${cost.processors}, ` +
              `time of a move (p50) ${cost.moveP50}, delay (p50) ${cost.delayP50}`,
          ),
        ]),
  ];
}
