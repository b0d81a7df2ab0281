import {
  type EventLoopUtilization,
  type IntervalHistogram,
  monitorEventLoopDelay,
  performance,
} from 'node:perf_hooks';

/** What the process did since the sample before. */
interface LoopSample {
  /** 99th percentile of the event loop's lateness, in milliseconds. */
  loopLagP99Ms: number;
  /** 0 (idle) to 1. */
  loopUtilization: number;
  /** Cores in use, user and system: 0 to the number of cores. */
  cpu: number;
  /** Where it could not be measured, as it was before. */
  rssBytes: number;
}

/** How the process is measured. */
interface Measure {
  cpu(): NodeJS.CpuUsage;
  rssBytes(): number;
}

const RESOLUTION_MS = 10;

/**
 * Watches the event loop. Costs one timer of 10 ms while it runs. Each sample loses the tick in progress, so a block
 * that begins within 10 ms after one is not seen.
 */
export class EventLoopMonitor {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  #cpu: NodeJS.CpuUsage = { user: 0, system: 0 };
  #atMs = performance.now();
  readonly #measure: Measure;
  #rssBytes = 0;

  constructor(measure: Measure = { cpu: process.cpuUsage, rssBytes: process.memoryUsage.rss }) {
    this.#measure = measure;
    this.#cpu = orElse(measure.cpu, this.#cpu);
    this.#delay.enable();
  }

  /** The values since the last sample, or since construction. Never throws: what cannot be measured is as it was. */
  sample(): LoopSample {
    const nowMs = performance.now();
    const elapsedMs = Math.max(1, nowMs - this.#atMs);
    const cpu = this.#cpuSince();
    // It opens a file, for which there may be none left.
    this.#rssBytes = orElse(this.#measure.rssBytes, this.#rssBytes);
    const utilization = performance.eventLoopUtilization(this.#utilization);
    // The histogram holds whole intervals: the lateness is what exceeds the resolution.
    const lagMs = this.#delay.count > 0 ? this.#delay.percentile(99) / 1e6 - RESOLUTION_MS : 0;
    this.#delay.reset();
    this.#utilization = performance.eventLoopUtilization();
    this.#atMs = nowMs;
    return {
      loopLagP99Ms: round(Math.max(0, lagMs)),
      loopUtilization: round(Math.min(1, Math.max(0, utilization.utilization))),
      cpu: round((cpu.user + cpu.system) / 1000 / elapsedMs),
      rssBytes: this.#rssBytes,
    };
  }

  #cpuSince(): NodeJS.CpuUsage {
    const before = this.#cpu;
    this.#cpu = orElse(this.#measure.cpu, before);
    return { user: this.#cpu.user - before.user, system: this.#cpu.system - before.system };
  }

  /** Ends watching. */
  stop(): void {
    this.#delay.disable();
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Who samples in a timer must not throw: it would end the process. */
function orElse<T>(measure: () => T, known: T): T {
  try {
    return measure();
  } catch {
    return known;
  }
}
