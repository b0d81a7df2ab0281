import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Child, ensurePackages, freePort } from '@evenkeel/local';
import { hastened, rulesFiles } from '@evenkeel/observability';
import { eventually } from '@evenkeel/testkit';

/** Every window and `for` of the rules goes by in so many times less. */
const factor = 30;
const readyTimeoutMs = 30_000;
/** From a fault to its alert; longest window and `for` of the rules, many times. */
const alertTimeoutMs = 120_000;

/** An alert that fires, by its labels. */
export type Firing = Readonly<Record<string, string>> & { readonly alertname: string };

/** What a service answers on `/metrics`. */
interface Target {
  readonly opsUrl: string;
}

/**
 * Debian's Prometheus with the rules of `infra/observability` on a mesh, with a day that goes by faster. What it compares with
 * what stays.
 */
export class Prometheus {
  readonly #dir: string;
  readonly #child: Child;
  readonly #url: string;
  readonly #targets: () => readonly Target[];

  private constructor(dir: string, child: Child, url: string, targets: () => readonly Target[]) {
    this.#dir = dir;
    this.#child = child;
    this.#url = url;
    this.#targets = targets;
  }

  /** Reads what `targets` gives, now and after each {@link Prometheus.lookAgain}. Stop it when done. */
  static async start(targets: () => readonly Target[]): Promise<Prometheus> {
    await ensurePackages(['prometheus'], 'for the tests of metrics and alerts');
    const dir = mkdtempSync(join(tmpdir(), 'evenkeel-prometheus-'));
    const rules = rulesFiles().map((file) => {
      const copy = join(dir, basename(file));
      writeFileSync(copy, hastened(readFileSync(file, 'utf8'), factor));
      return copy;
    });
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '500ms' },
      rule_files: rules,
      scrape_configs: [{ job_name: 'evenkeel', file_sd_configs: [{ files: [join(dir, 'targets.json')] }] }],
    };
    // What is JSON is YAML.
    writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify(config));
    mkdirSync(join(dir, 'data'));
    const port = await freePort();
    const child = new Child({
      name: 'prometheus',
      command: 'prometheus',
      args: [
        `--config.file=${join(dir, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(dir, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      env: { PATH: process.env.PATH ?? '' },
      cwd: dir,
      onLine: () => undefined,
    });
    const prometheus = new Prometheus(dir, child, `http://127.0.0.1:${port}`, targets);
    prometheus.lookAgain();
    try {
      const answers = () =>
        fetch(`${prometheus.#url}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        );
      await child.waitUntil(answers, readyTimeoutMs);
      await eventually(
        'Prometheus has read every service, and nothing fires',
        async () => {
          const up = await prometheus.query('up == 1');
          return up.length === targets().length && (await prometheus.firing()).length === 0;
        },
        readyTimeoutMs,
      );
    } catch (error) {
      await prometheus.stop();
      throw error;
    }
    return prometheus;
  }

  /** Who is there has changed. */
  lookAgain(): void {
    const targets = this.#targets().map(({ opsUrl }) => new URL(opsUrl).host);
    const file = join(this.#dir, 'targets.json');
    writeFileSync(`${file}.new`, JSON.stringify([{ targets }]));
    renameSync(`${file}.new`, file);
  }

  /** The series that an expression gives now. Fails where Prometheus refuses it. */
  async query(expr: string): Promise<Record<string, string>[]> {
    const { result } = await this.#ask<{ result: { metric: Record<string, string> }[] }>(
      `query?query=${encodeURIComponent(expr)}`,
    );
    return result.map(({ metric }) => metric);
  }

  /** The alerts that fire now. */
  async firing(): Promise<Firing[]> {
    const { alerts } = await this.#ask<{ alerts: { labels: Firing; state: string }[] }>('alerts');
    return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
  }

  /** The alert of this name, once it fires; meanwhile `fault` happens again and again. */
  async fires(alertname: string, fault: () => unknown = () => undefined): Promise<Firing> {
    return await eventually(
      `${alertname} fires`,
      async () => {
        await fault();
        return (await this.firing()).find((each) => each.alertname === alertname);
      },
      alertTimeoutMs,
    );
  }

  /** Resolves when no alert of this name fires. */
  async rests(alertname: string): Promise<void> {
    await eventually(
      `${alertname} fires no more`,
      async () => (await this.firing()).every((each) => each.alertname !== alertname),
      alertTimeoutMs,
    );
  }

  async stop(): Promise<void> {
    await this.#child.stop(5_000);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #ask<Data>(path: string): Promise<Data> {
    const response = await fetch(`${this.#url}/api/v1/${path}`);
    const { data, error } = (await response.json()) as { data?: Data; error?: string };
    if (data === undefined) throw new Error(`Prometheus, ${path}: ${error}`);
    return data;
  }
}
