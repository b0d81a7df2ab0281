/** So many bytes of a frame tell its kind and its id, as nearly every client writes it. */
const beginningBytes = 512;
const beyondAscii = /[\u0080-\u00ff]/;

/** The text of a client's frame. Of one that is refused no more is decoded than its beginning. */
export class ClientText {
  /** Of it on the wire. */
  readonly bytes: number;
  readonly #encoded: Buffer | undefined;
  #whole: string | undefined;

  /** `encoded`: well-formed UTF-8, which stays as it is for as long as this is read. */
  constructor(encoded: Buffer | string) {
    if (typeof encoded === 'string') this.#whole = encoded;
    else this.#encoded = encoded;
    this.bytes = Buffer.byteLength(encoded);
  }

  get whole(): string {
    this.#whole ??= this.#encoded?.toString('utf8') ?? '';
    return this.#whole;
  }

  /** A part from its start, or all of it. */
  get beginning(): string {
    if (this.#whole !== undefined || this.bytes <= beginningBytes) return this.whole;
    const part = this.#encoded?.toString('latin1', 0, beginningBytes) ?? '';
    return beyondAscii.test(part) ? this.whole : part;
  }
}
