/** Recent handshakes whose times are kept for the percentile. */
const keptHandshakes = 1_024;

/** Running counts of what sessions do; statistics read and difference them once a second. */
export class SessionTally {
  delivered = 0;
  deliveredBytes = 0;
  received = 0;
  welcomed = 0;
  gaps = 0;
  #handshakes: number[] = [];

  /** A session has been attached `ms` after its socket opened. */
  handshake(ms: number): void {
    this.welcomed += 1;
    if (this.#handshakes.length < keptHandshakes) this.#handshakes.push(ms);
  }

  /** 99th percentile of the handshakes since the last call, ms; 0 when there were none. */
  takeHandshakeP99(): number {
    const sorted = this.#handshakes.sort((a, b) => a - b);
    this.#handshakes = [];
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0;
  }
}
