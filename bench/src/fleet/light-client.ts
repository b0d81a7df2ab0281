import { closeCodes } from '@evenkeel/protocol';
import { ThinSocket } from './thin-socket.js';

interface Frame {
  readonly t: string;
  readonly seq?: number;
  readonly url?: string;
  readonly ticket?: string;
  readonly topic?: string;
  readonly data?: unknown;
  readonly re?: string;
  readonly connection?: unknown;
}

export interface LightClientOptions {
  readonly gatewayUrl: string;
  readonly user: string;
  readonly topics?: readonly string[];
  /** Shown to the gateway, whose pass every `hello` then has; without one the user's name is enough. */
  readonly token?: string | undefined;
  /** Every `event` or `message`. */
  onData?(data: unknown): void;
  onMoved?(client: LightClient): void;
}

/** Placements that the gateway refuses for a moment are asked for again. */
const patienceMs = 30_000;
const againMs = 100;

/**
 * A client of raw frames and nothing else: acknowledges every event at once, moves when it is told to. What it costs is the same for
 * whatever it talks to.
 */
export class LightClient {
  readonly #options: LightClientOptions;
  #socket: ThinSocket | undefined;
  /** The session, `<uid>.<sid>`; the users of a comparison need no encoding. */
  session = '';
  node = '';
  /** The last `welcome` named its connection, which edges of before do not. */
  isConnectionNamed = false;
  /** Closed without having been told to, or cut. */
  failure: string | undefined;
  #isClosing = false;
  /** Sockets that wait for their `welcome`. */
  #opening = 0;
  #pass: string | undefined;

  constructor(options: LightClientOptions) {
    this.#options = options;
  }

  /** Asks the gateway and attaches; resolves on `welcome`. @throws Error when that fails. */
  async connect(): Promise<void> {
    const { gatewayUrl, user, token } = this.#options;
    const place = await placement(
      `${gatewayUrl}/gateway${token === undefined ? `?user=${user}` : ''}`,
      token,
    );
    this.#pass = place.pass;
    this.session = `${user}.${place.session}`;
    this.node = place.node;
    await this.#open(`${place.url}?ticket=${place.ticket}`, false);
  }

  close(): void {
    this.#isClosing = true;
    this.#socket?.close(1000);
  }

  #open(address: string, resume: boolean): Promise<void> {
    const { topics = [] } = this.#options;
    return new Promise((resolve, reject) => {
      const old = this.#socket;
      const socket = new ThinSocket(address, ['evenkeel.v1']);
      let isWelcome = false;
      let isOpening = true;
      this.#opening += 1;
      const opened = () => {
        if (isOpening) this.#opening -= 1;
        isOpening = false;
      };
      socket.onopen = () => socket.send(JSON.stringify({ t: 'hello', resume, topics, pass: this.#pass }));
      socket.onmessage = ({ data }) => {
        const frame = JSON.parse(data) as Frame;
        if (frame.t === 'welcome') {
          isWelcome = true;
          opened();
          this.isConnectionNamed = frame.connection !== undefined;
          this.#socket = socket;
          old?.close(1000);
          resolve();
        } else this.#onFrame(socket, frame);
      };
      socket.onclose = ({ code, reason }) => {
        opened();
        // An edge that has handed the session over keeps this socket for a while, and the other one may be slower than that.
        const isReplaced = code === closeCodes.moved.code && this.#opening > 0;
        if (!isWelcome) reject(new Error(`closed with ${code} ${reason} before welcome`));
        else if (this.#socket === socket && !this.#isClosing && !isReplaced)
          this.failure = `closed with ${code} ${reason}`;
      };
    });
  }

  #onFrame(socket: ThinSocket, frame: Frame): void {
    switch (frame.t) {
      case 'event':
        socket.send(`{"t":"ack","seq":${frame.seq}}`);
        return this.#options.onData?.(frame.data);
      case 'message':
        return this.#options.onData?.(frame.data);
      case 'move':
        void this.#move(frame);
        return;
      case 'moved':
        // What was sent here has been acknowledged already.
        if ((frame.seq ?? 0) > 0) socket.send(`{"t":"ack","seq":${frame.seq}}`);
        return;
      case 'gap':
        this.failure = `gap: ${JSON.stringify(frame)}`;
    }
  }

  async #move({ url, ticket, ...frame }: Frame & { node?: string }): Promise<void> {
    try {
      await this.#open(`${url}?ticket=${ticket}`, true);
      this.node = frame.node ?? '';
      this.#options.onMoved?.(this);
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    }
  }
}

export async function placement(
  address: string,
  token?: string,
): Promise<{ url: string; node: string; ticket: string; session: string; pass?: string }> {
  const endsAtMs = performance.now() + patienceMs;
  for (;;) {
    const answer = await fetch(address, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    if (answer.ok) return (await answer.json()) as Awaited<ReturnType<typeof placement>>;
    const text = await answer.text();
    if (answer.status !== 503 || performance.now() > endsAtMs)
      throw new Error(`${address} answered ${answer.status}: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}
