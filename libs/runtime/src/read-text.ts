import { readFileSync, statSync } from 'node:fs';

/** What is in a file of at most so many bytes. @throws Error that says what is wrong, for whoever has named the file. */
export function readText(path: string, maxBytes: number): string {
  let size: number;
  try {
    ({ size } = statSync(path));
    if (size <= maxBytes) return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`cannot read the file: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
  throw new Error(`it takes a file of at most ${maxBytes} bytes`);
}
