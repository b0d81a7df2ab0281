import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { clock } from '../fleet/clock.js';

const mostTries = 40;
const againMs = 500;

interface Question {
  readonly askedAtMs: number;
  /** Past messages that are still to come. */
  left: number;
  readonly done: (ms: number | undefined) => void;
}

/** A client in plain frames that subscribes a topic with its newest messages, again and again. */
export class Asker {
  readonly #socket: WebSocket;
  readonly #topic: string;
  readonly #last: number;
  #question: Question | undefined;
  #asked = 0;

  private constructor(socket: WebSocket, topic: string, last: number) {
    this.#socket = socket;
    this.#topic = topic;
    this.#last = last;
    socket.on('message', (body) => this.#onFrame(JSON.parse(String(body))));
  }

  /** Resolves when it is welcome. */
  static async enter(gateway: string, user: string, topic: string, last: number): Promise<Asker> {
    const { url, ticket } = await placementOf(gateway, user);
    const socket = new WebSocket(`${url}?ticket=${encodeURIComponent(ticket)}`, 'evenkeel.v1', {
      perMessageDeflate: false,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', (code) => reject(new Error(`${user} was closed with ${code}`)));
      socket.once('open', () => socket.send('{"t":"hello"}'));
      socket.once('message', () => resolve());
    });
    return new Asker(socket, topic, last);
  }

  get isBusy(): boolean {
    return this.#question !== undefined;
  }

  /** How long until all of it was there, ms; undefined: it was refused, or lost. */
  ask(): Promise<number | undefined> {
    this.#asked += 1;
    return new Promise((done) => {
      this.#question = { askedAtMs: clock(), left: this.#last, done };
      this.#send({ t: 'subscribe', id: `s${this.#asked}`, topic: this.#topic, last: this.#last });
    });
  }

  close(): void {
    this.#socket.terminate();
  }

  #onFrame(frame: { readonly t: string; readonly past?: boolean }): void {
    const question = this.#question;
    if (question === undefined) return;
    if (frame.t === 'error' || frame.t === 'gap') return this.#end(question, undefined);
    if (frame.t !== 'message' || frame.past !== true) return;
    question.left -= 1;
    if (question.left === 0) this.#end(question, clock() - question.askedAtMs);
  }

  #end({ done }: Question, ms: number | undefined): void {
    this.#question = undefined;
    this.#send({ t: 'unsubscribe', id: `u${this.#asked}`, topic: this.#topic });
    done(ms);
  }

  #send(frame: object): void {
    this.#socket.send(JSON.stringify(frame));
  }
}

/** A gateway lets in a crowd by and by. */
async function placementOf(gateway: string, user: string): Promise<{ url: string; ticket: string }> {
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(`${gateway}/gateway?user=${user}`);
    if (answer.ok) return (await answer.json()) as { url: string; ticket: string };
    if (tries >= mostTries) throw new Error(`the gateway answers ${answer.status} to ${user}`);
    await sleep(againMs);
  }
}
