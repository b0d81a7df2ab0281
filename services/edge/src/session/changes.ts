/** Changes of something that one party waits for at a time. */
export class Changes {
  #onChange: (() => void) | undefined;

  made(): void {
    this.#onChange?.();
  }

  /** Resolves when a change has made `isDone` true, or after `timeoutMs`. */
  async until(isDone: () => boolean, timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = () => {
        this.#onChange = undefined;
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(end, timeoutMs);
      this.#onChange = () => {
        if (isDone()) end();
      };
    });
  }
}
