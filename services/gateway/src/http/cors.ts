/** Headers that let pages of other origins ask. */
export type Cors = (origin: string | undefined) => Record<string, string>;

/**
 * `*`: any page, without cookies. A list: these origins, with cookies; another origin gets no header and so
 * its browser refuses. A browser never sends cookies along with `*`, so nobody can be made to ask.
 */
export function createCors(corsOrigin: string): Cors {
  const shared = {
    'access-control-allow-methods': 'GET, HEAD, OPTIONS',
    'access-control-allow-headers': 'authorization, traceparent, tracestate',
    'access-control-expose-headers': 'retry-after',
    'access-control-max-age': '600',
  };
  if (corsOrigin === '*') return () => ({ 'access-control-allow-origin': '*', ...shared });
  const origins = new Set(corsOrigin.split(',').map((origin) => origin.trim()));
  return (origin) =>
    origin !== undefined && origins.has(origin)
      ? {
          'access-control-allow-origin': origin,
          'access-control-allow-credentials': 'true',
          vary: 'origin',
          ...shared,
        }
      : { vary: 'origin' };
}
