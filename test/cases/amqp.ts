import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export interface Message {
  readonly key: string;
  readonly body?: string | Buffer;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly messageId?: Buffer;
  readonly exchange?: string;
}

/** An AMQP client that is not ours, and takes every byte that AMQP does. */
export class Amqp {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor(amqpUrl: string) {
    // Beside the source of what is compiled here.
    const script = join(import.meta.dirname, '..', '..', 'cases', 'amqp.py');
    this.#child = spawn('/usr/bin/python3', [script, amqpUrl], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface(this.#child.stdout).on('line', (line) => this.#waiting.shift()?.(line));
  }

  async publish({
    key,
    body = '{}',
    properties = {},
    messageId,
    exchange = 'mesh.events',
  }: Message): Promise<void> {
    await this.#ask({
      call: 'basic_publish',
      with: { exchange, routing_key: key },
      properties: { content_type: 'application/json', ...properties },
      body: Buffer.from(body).toString('base64'),
      ...(messageId && { message_id: messageId.toString('base64') }),
    });
  }

  /** Calls a method of the channel. @throws Error with what the broker said */
  call(method: string, given: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.#ask({ call: method, with: given });
  }

  close(): void {
    this.#child.kill();
  }

  async #ask(order: object): Promise<unknown> {
    const line = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    });
    const { ok, fault } = JSON.parse(line) as { ok?: unknown; fault?: string };
    if (fault !== undefined) throw new Error(fault);
    return ok;
  }
}
