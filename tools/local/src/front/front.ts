import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from '../apt.js';
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
    await ensurePackages(packagesOf[fronts[name].program], `for the load balancer ${name}`);
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
    return `ws://${this.address}${this.kind.path}`;
  }

  /** Sends clients to these from now on; who is connected stays where they are. */
  async load(edges: readonly Place[], gateways: readonly Place[]): Promise<void> {
    const text = readFileSync(join(root, this.kind.file), 'utf8');
    await this.#running.load(configFor(text, { listen: this.address, edges, gateways }));
  }

  async stop(): Promise<void> {
    await this.#running.stop();
    rmSync(this.#dir, { recursive: true, force: true });
    this.#releaseDir();
  }
}

/** Where the edges of a mesh are, for a front. */
export const placesOf = (edges: readonly Edge[]): Place[] =>
  edges.map(({ node, url, agentPort }) => ({ name: node, address: new URL(url).host, agentPort }));

export const gatewayPlace = ({ gatewayUrl }: Mesh): Place => ({
  name: 'gateway-1',
  address: new URL(gatewayUrl).host,
});
