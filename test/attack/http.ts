import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface Answer {
  /** 0: none came. */
  readonly status: number;
  readonly code: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly localAddress?: string;
  readonly timeoutMs?: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 200 });
const largestAnswerBytes = 1_000_000;

/** One HTTP request; what fails has the status 0 and its error as the code. */
export function ask(url: string, options: AskOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, localAddress, timeoutMs = 10_000 } = options;
  const failed = (code: string): Answer => ({ status: 0, code, body: {}, headers: {} });
  return new Promise((resolve) => {
    const sent = request(
      url,
      { method, headers, agent, timeout: timeoutMs, ...(localAddress && { localAddress }) },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          if (text.length < largestAnswerBytes) text += chunk;
        });
        response.on('error', (error) => resolve(failed(error.message)));
        response.on('end', () => {
          const body = parsed(text);
          const error = body.error as { code?: string } | undefined;
          const { statusCode: status = 0 } = response;
          resolve({ status, code: error?.code ?? '', body, headers: response.headers });
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(failed(error.code ?? error.message)));
    sent.end();
  });
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export interface RawAnswer {
  readonly text: string;
  /** The other side has closed, or broken, the connection. */
  readonly isClosed: boolean;
}

/** A TCP connection that fails in silence. */
export function dial(url: string, localAddress: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), localAddress });
  socket.on('error', () => undefined);
  return socket;
}

/** Sends these bytes and takes what comes until the end, or for so long. */
export function exchange(socket: Socket, bytes: string | Buffer, forMs: number): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = '';
    const done = (isClosed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, isClosed });
    };
    const timer = setTimeout(() => done(false), forMs);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('close', () => done(true));
    socket.write(bytes);
  });
}
