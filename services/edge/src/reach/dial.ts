import { WebSocket } from 'ws';
import { type Met, metBy } from './met.js';

/** An answer to a probe has no more than a close frame. */
const maxPayload = 1_024;

/** Dials `url` with `ticket` as a client would, and tells whom it met there. Never rejects, and leaves nothing open. */
export function dial(url: string, ticket: string, timeoutMs: number, signal: AbortSignal): Promise<Met> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${url}?ticket=${ticket}`, { perMessageDeflate: false, maxPayload });
    const finish = (met: Met) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onEnd);
      resolve(met);
      socket.terminate();
    };
    const onEnd = () => finish({ kind: 'silence', ms: timeoutMs });
    const timer = setTimeout(onEnd, timeoutMs);
    signal.addEventListener('abort', onEnd, { once: true });
    socket.on('unexpected-response', (_request, { statusCode = 0 }) =>
      finish({ kind: 'answer', status: statusCode }),
    );
    socket.on('error', (error: NodeJS.ErrnoException) =>
      finish({ kind: 'failure', code: error.code ?? error.message }),
    );
    socket.on('close', (code, reason) => finish(metBy(code, reason.toString('utf8'))));
  });
}
