/**
 * Which server of a list two load balancers choose for an address, counted here independently of them. Known answers of the
 * real programs are in the tests.
 */

export interface Server {
  readonly weight: number;
  /** Takes connections. */
  readonly isUp: boolean;
}

/** Of an IPv4 address. @throws RangeError when it is none. */
function octets(address: string): number[] {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    throw new RangeError(`no IPv4 address: ${address}`);
  return parts;
}

/** After so many servers that are down nginx takes any in turn. */
const nginxTries = 20;

/**
 * nginx's `ip_hash`: of the first three numbers, over the weights in the order of the servers; hashed again from where it was as
 * long as it meets a server that is down. Returns an index; undefined: any.
 */
export function nginxIpHash(address: string, servers: readonly Server[]): number | undefined {
  const total = servers.reduce((sum, { weight }) => sum + weight, 0);
  let hash = 89;
  for (let tries = 0; tries <= nginxTries; tries++) {
    for (const octet of octets(address).slice(0, 3)) hash = (hash * 113 + octet) % 6271;
    let at = hash % total;
    const index = servers.findIndex(({ weight }) => {
      at -= weight;
      return at < 0;
    });
    if (servers[index]?.isUp === true) return index;
  }
  return undefined;
}

/**
 * HAProxy's `balance source` with `hash-type map-based`, its default: the address as a number, over a map of the weights of those
 * that are up. Returns an index; undefined: all are down.
 */
export function haproxySource(address: string, servers: readonly Server[]): number | undefined {
  const number = octets(address).reduce((all, octet) => all * 256 + octet, 0);
  const up = [...servers.entries()].filter(([, { isUp }]) => isUp);
  const map = haproxyMap(up.map(([, { weight }]) => weight));
  return up[map[number % map.length] ?? -1]?.[0];
}

/** As many places as the weights, divided by what they have in common, add up to; heavier servers spread over it. */
function haproxyMap(given: readonly number[]): number[] {
  const common = given.reduce((all, weight) => gcd(all, weight), 0);
  const weights = given.map((weight) => weight / common);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const scores = weights.map(() => 0);
  return Array.from({ length: total }, () => {
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (const [index, weight] of weights.entries()) {
      const score = (scores[index] ?? 0) + weight;
      scores[index] = score;
      const whole = Math.trunc((score + total) / total);
      if (whole <= most) continue;
      most = whole;
      best = index;
    }
    scores[best] = (scores[best] ?? 0) - total;
    return best;
  });
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
