import { isUtf8 } from 'node:buffer';

/** What stands before the base64url of an id that is no text. */
const binaryIdPrefix = 'b64:';
const replacement = '\uFFFD';

/** Whether bytes that were no UTF-8 may have been read as it. */
export const isMangled = (id: string | undefined): boolean => id?.includes(replacement) === true;

/** AMQP's types of values in a table. Source: AMQP 0-9-1, 4.2.1, as RabbitMQ has them. */
const typeOf = { text: 0x53, boolean: 0x74, int32: 0x49, int64: 0x6c } as const;

/** Reads one value after the other; a short text is behind a byte that has its length. */
export class Fields {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, from: number) {
    this.#bytes = bytes;
    this.at = from;
  }

  next(): string {
    const start = this.#step();
    return this.#bytes.toString('utf8', start, this.at);
  }

  /** An id that is no UTF-8 is told as `b64:` and its base64url. */
  nextId(): string {
    const start = this.#step();
    const text = this.#bytes.toString('utf8', start, this.at);
    if (!isMangled(text)) return text;
    const id = this.#bytes.subarray(start, this.at);
    return isUtf8(id) ? text : `${binaryIdPrefix}${id.toString('base64url')}`;
  }

  nextNumber(): number {
    this.at += 8;
    return Number(this.#bytes.readBigUInt64BE(this.at - 8));
  }

  skipTable(): void {
    this.at += 4 + this.#bytes.readUInt32BE(this.at);
  }

  /** Of texts, booleans and whole numbers. */
  nextTable(): Record<string, unknown> | 'not plain' {
    const fields: Record<string, unknown> = {};
    const end = this.at + 4 + this.#bytes.readUInt32BE(this.at);
    this.at += 4;
    while (this.at < end) {
      const name = this.next();
      const value = this.#nextValue();
      if (value === undefined) return 'not plain';
      fields[name] = value;
    }
    return fields;
  }

  #nextValue(): string | number | boolean | undefined {
    const bytes = this.#bytes;
    const type = bytes[this.at];
    const start = this.at + 1;
    if (type === typeOf.text) {
      const from = start + 4;
      this.at = from + bytes.readUInt32BE(start);
      return bytes.toString('utf8', from, this.at);
    }
    if (type === typeOf.boolean) {
      this.at = start + 1;
      return bytes[start] !== 0;
    }
    if (type === typeOf.int32) {
      this.at = start + 4;
      return bytes.readInt32BE(start);
    }
    if (type !== typeOf.int64) return undefined;
    this.at = start + 8;
    return Number(bytes.readBigInt64BE(start));
  }

  #step(): number {
    const start = this.at + 1;
    this.at = start + this.#bytes.readUInt8(this.at);
    return start;
  }
}
