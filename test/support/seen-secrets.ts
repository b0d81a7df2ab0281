import WebSocket from 'ws';

/** Fields of the gateway's answers and of frames that let their holder in. */
const secretFields: ReadonlySet<string> = new Set(['ticket', 'pass', 'resume', 'token']);

/** What a run has said to the outside, and every secret that was in it. */
export class SeenSecrets {
  /** Lines of logs, answers, errors. */
  readonly lines: string[] = [];
  readonly #secrets = new Map<string, string>();

  /** A secret: nothing of what is said may have it. */
  note(what: string, secret: string): void {
    if (secret.length <= 8) throw new Error(`${what} is too short to be looked for`);
    if (!this.#secrets.has(secret)) this.#secrets.set(secret, what);
  }

  /** What is known of them, by what they are. */
  get kinds(): ReadonlySet<string> {
    return new Set(this.#secrets.values());
  }

  /** Notes each ticket, pass and proof in what has come, or goes, by HTTP or in a frame. */
  noteIn(where: string, value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, part] of Object.entries(value)) {
      if (typeof part === 'string' && secretFields.has(name)) this.note(`${where}: ${name}`, part);
      else this.noteIn(where, part);
    }
  }

  /** `fetch` for a client whose secrets are noted. */
  readonly fetch: typeof fetch = async (...asked) => {
    const response = await fetch(...asked);
    this.noteIn('gateway', await response.clone().json());
    return response;
  };

  /** Sockets for a client whose secrets are noted. */
  sockets(): new (url: string, protocols?: string[]) => WebSocket {
    const noteFrame = (text: unknown) => this.noteFrame(String(text));
    return class extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        this.on('message', noteFrame);
      }
      override send(...args: unknown[]): void {
        noteFrame(args[0]);
        super.send(args[0] as string);
      }
    };
  }

  noteFrame(text: string): void {
    const frame = JSON.parse(text) as { t: string };
    this.noteIn(frame.t, frame);
  }

  /** Where a secret was said, as it is, encoded as in a URL, or in base64. */
  get found(): string[] {
    return [...this.#secrets].flatMap(([secret, what]) => {
      const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64url')];
      const lines = this.lines.filter((line) => forms.some((form) => line.includes(form)));
      return lines.map((line) => `${what} in: ${line}`);
    });
  }
}
