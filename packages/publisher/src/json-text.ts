import { PublisherError } from './errors.js';

/**
 * JSON that is written already: it goes as it is, so a number in it may be more than JavaScript holds. It may stand for any value that is
 * sent as JSON: what is published, asked or answered.
 * @example
 * const whole = new JsonText('{"number": 9007199254740993}');
 * @throws PublisherError `bad-body`: it is no JSON.
 */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
    try {
      this.toJSON();
    } catch (cause) {
      throw new PublisherError(
        'bad-body',
        'the text is no JSON; give a string as JSON.stringify writes it',
        cause,
      );
    }
  }

  /** Its value, as far as JavaScript holds it. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}
