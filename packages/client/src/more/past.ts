import type { MessageFrame, OkFrame } from '@evenkeel/protocol/wire';
import type { SendOptions } from '../calls/patience.js';
import type { PartedConnection } from '../seams/connection.js';
import type { AnyFrame, Part } from '../seams/part.js';
import type { Past, PastWanted, TopicHistory } from '../seams/past.js';
import type { TopicMessage } from '../topics/topics.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { contentOf } from '../transport/payload.js';

/** What has come of one answer. */
interface Reading {
  socket: EdgeSocket | undefined;
  messages: TopicMessage[];
  omitted: number;
}

/** Reads what topics have kept, without a subscription. An edge that is lost in between is asked for all of it once more. */
export class PastReadings implements Part, Past {
  readonly #connection: PartedConnection;
  readonly #open = new Map<string, Reading>();
  readonly #prefix = `${Math.random().toString(36).slice(2, 12)}-h`;
  #counter = 0;

  constructor(connection: PartedConnection) {
    this.#connection = connection;
  }

  async read(topic: string, { since, last }: PastWanted, options: SendOptions = {}): Promise<TopicHistory> {
    const id = this.#prefix + (this.#counter++).toString(36);
    const reading: Reading = { socket: undefined, messages: [], omitted: 0 };
    this.#open.set(id, reading);
    try {
      const answer = await this.#connection.ask('history', topic, undefined, options, { since, last }, id);
      const { position } = answer as { position?: string };
      const { messages, omitted } = reading;
      return { messages, ...(position !== undefined && { position }), ...(omitted > 0 && { omitted }) };
    } finally {
      this.#open.delete(id);
    }
  }

  received(socket: EdgeSocket, frame: AnyFrame): boolean {
    const { re } = frame;
    if (re === undefined || (frame.t !== 'message' && frame.t !== 'gap' && frame.t !== 'ok')) return false;
    const isAnswer = frame.t === 'ok';
    const reading = this.#open.get((frame as unknown as OkFrame).re);
    if (!reading) return !isAnswer;
    if (reading.socket !== socket) Object.assign(reading, { socket, messages: [], omitted: 0 });
    if (frame.t === 'gap') reading.omitted += 1;
    if (frame.t === 'message') {
      const message = frame as unknown as MessageFrame;
      reading.messages.push(contentOf<TopicMessage>({ topic: message.topic }, message));
    }
    return !isAnswer;
  }
}
