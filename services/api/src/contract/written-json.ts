/** JSON that is text already: what applications and clients have written goes on as they wrote it. */
export class WrittenJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value as JSON. */
export const jsonOf = (value: unknown): string =>
  value instanceof WrittenJson ? value.text : JSON.stringify(value);
