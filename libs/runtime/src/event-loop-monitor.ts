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
  rssBytes: number;
}

const RESOLUTION_MS = 10;

/**
 * Watches the event loop. Costs one timer of 10 ms while it runs. Each sample loses the tick in progress, so a block
 * that begins within 10 ms after one is not seen.
 */
export class EventLoopMonitor {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  #cpu: NodeJS.CpuUsage = process.cpuUsage();
  #atMs = performance.now();

  constructor() {
    this.#delay.enable();
  }

  /** The values since the last sample, or since construction. */
  sample(): LoopSample {
    const nowMs = performance.now();
    const elapsedMs = Math.max(1, nowMs - this.#atMs);
    const cpu = process.cpuUsage(this.#cpu);
    const utilization = performance.eventLoopUtilization(this.#utilization);
    // The histogram holds whole intervals: the lateness is what exceeds the resolution.
    const lagMs = this.#delay.count > 0 ? this.#delay.percentile(99) / 1e6 - RESOLUTION_MS : 0;
    this.#delay.reset();
    this.#cpu = process.cpuUsage();
    this.#utilization = performance.eventLoopUtilization();
    this.#atMs = nowMs;
    return {
      loopLagP99Ms: round(Math.max(0, lagMs)),
      loopUtilization: round(Math.min(1, Math.max(0, utilization.utilization))),
      cpu: round((cpu.user + cpu.system) / 1000 / elapsedMs),
      rssBytes: process.memoryUsage.rss(),
    };
  }

  /** Ends watching. */
  stop(): void {
    this.#delay.disable();
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
