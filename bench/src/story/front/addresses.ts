/**
 * The address that a client dials from: its own, of the machine's 127.0.0.0/8. Scattered, so that no hash of a front sees a pattern.
 */
export function addressOf(client: number): string {
  // Fibonacci hashing.
  const bits = Math.imul(client + 1, 0x9e3779b1) >>> 0;
  const second = 1 + (client % 250);
  return `127.${second}.${(bits >>> 24) % 250}.${1 + (((bits >>> 16) & 0xff) % 250)}`;
}
