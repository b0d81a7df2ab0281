/** An answer that is JSON text already: what applications have published goes on as they wrote it. */
export class WrittenJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
