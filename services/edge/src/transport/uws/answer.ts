import type uWS from 'uWebSockets.js';
import type { Refused } from '../gate.js';

type Headers = Readonly<Record<string, string>>;

/** For load balancers: the status and nothing else. */
export function status(res: uWS.HttpResponse, isGood: boolean): void {
  res.cork(() => {
    res.writeStatus(isGood ? '200 OK' : '503 Service Unavailable').writeHeader('cache-control', 'no-store');
    res.end(undefined, true);
  });
}

/** An error, as its connection's last answer. */
export function answer(
  res: uWS.HttpResponse,
  status: string,
  code: string,
  message: string,
  headers: Headers = {},
): void {
  res.cork(() => {
    res.writeStatus(status);
    writeHeaders(res, { 'content-type': 'application/json', ...headers });
    res.end(JSON.stringify({ error: { code, message } }), true);
  });
}

/** Who is refused: why, and perhaps when to come back. */
export function answerRefused(res: uWS.HttpResponse, refused: Refused, headers: Headers = {}): void {
  const { status, code, message, retryAfterS } = refused;
  const again = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  answer(res, status, code, message, { ...headers, ...again });
}

/** An answer without a body, as its connection's last. */
export function answerEmpty(res: uWS.HttpResponse, status: string, headers: Headers): void {
  res.cork(() => {
    res.writeStatus(status);
    writeHeaders(res, headers);
    res.end(undefined, true);
  });
}

export function writeHeaders(res: uWS.HttpResponse, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) res.writeHeader(name, value);
}

/** With two lengths a proxy in front may see another end of it than is seen here, and take one's answer for another's. */
export function hasTwoLengths(req: uWS.HttpRequest): boolean {
  let lengths = 0;
  req.forEach((name) => {
    if (name === 'content-length' || name === 'transfer-encoding') lengths += 1;
  });
  return lengths > 1;
}
