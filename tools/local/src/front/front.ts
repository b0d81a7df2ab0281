import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from '../apt.js';
import { runToEnd } from '../child.js';
import { Failure } from '../failure.js';
import { watchOver } from '../guard.js';
import { fileSink } from '../log-files.js';
import type { Edge, Mesh } from '../mesh.js';
import { freshDir, root } from '../paths.js';
import { freePorts } from '../ports.js';
import { configFor, type Place } from './config.js';
import { type FrontKind, type FrontName, fronts } from './fronts.js';
import { packagesOf, programs, type Running } from './programs.js';

export interface FrontOptions {
  /** Its log goes here. Default: dropped. */
  readonly logDir?: string;
}

/** A load balancer that runs, with a configuration of `infra/`. */
export class Front {
  readonly name: FrontName;
  readonly kind: FrontKind;
  /** `host:port` that it listens on. */
  readonly address: string;
  readonly #dir: string;
  readonly #running: Running;
  readonly #releaseDir: () => void;

  /** Installs the program where it is missing and can be installed. Listens once it has been given edges. */
  static async prepare(name: FrontName, { logDir }: FrontOptions = {}): Promise<Front> {
    const { program, hasTls }: FrontKind = fronts[name];
    const packages = [...packagesOf[program], ...(hasTls === true ? ['openssl'] : [])];
    await ensurePackages(packages, `for the load balancer ${name}`);
    const [port = 0, saidPort = 0] = await freePorts(2);
    return new Front(name, port, saidPort, logDir);
  }

  private constructor(name: FrontName, port: number, saidPort: number, logDir: string | undefined) {
    this.name = name;
    this.kind = fronts[name];
    this.address = `127.0.0.1:${port}`;
    this.#dir = freshDir('front');
    this.#releaseDir = watchOver({ kind: 'path', path: this.#dir });
    if (logDir !== undefined) mkdirSync(logDir, { recursive: true });
    const onLine = logDir === undefined ? () => undefined : fileSink(logDir);
    this.#running = programs[this.kind.program]({ dir: this.#dir, port: saidPort, onLine });
  }

  /** `EVENKEEL_PUBLIC_URL` of every edge behind it. */
  get publicUrl(): string {
    return `${this.kind.hasTls === true ? 'wss' : 'ws'}://${this.address}${this.kind.path}`;
  }

  /** Sends clients to these from now on; who is connected stays where they are. */
  async load(edges: readonly Place[], gateways: readonly Place[]): Promise<void> {
    const text = readFileSync(join(root, this.kind.file), 'utf8');
    const config = configFor(text, { listen: this.address, edges, gateways });
    await this.#running.load(this.kind.hasTls === true ? await withCertificate(config, this.#dir) : config);
  }

  async stop(): Promise<void> {
    await this.#running.stop();
    rmSync(this.#dir, { recursive: true, force: true });
    this.#releaseDir();
  }
}

/** With one that nobody has signed, made for the name that the configuration has. */
async function withCertificate(config: string, dir: string): Promise<string> {
  const [certificate, key] = [join(dir, 'fullchain.pem'), join(dir, 'privkey.pem')];
  if (!existsSync(certificate)) {
    const { status, stderr } = await runToEnd('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', '/CN=mesh.example', '-days', '2', '-keyout', key, '-out', certificate],
    ]);
    if (status !== 0) throw new Failure('openssl', `openssl made no certificate: ${stderr}`);
  }
  return config.replaceAll('/etc/ssl/mesh.example', dir);
}

/** Where the edges of a mesh are, for a front. */
export const placesOf = (edges: readonly Edge[]): Place[] =>
  edges.map(({ node, url, agentPort }) => ({ name: node, address: new URL(url).host, agentPort }));

export const gatewayPlace = ({ gatewayUrl }: Mesh): Place => ({
  name: 'gateway-1',
  address: new URL(gatewayUrl).host,
});
