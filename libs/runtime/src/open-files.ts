import { readFileSync } from 'node:fs';

/**
 * Files, sockets among them, that this process may have open at once; undefined where that is unlimited or not known. Node raises
 * it to the hard limit when it starts.
 */
export function openFileLimit(): number | undefined {
  try {
    return parseOpenFiles(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return undefined;
  }
}

/** The soft limit in the text of `/proc/<pid>/limits`. */
export function parseOpenFiles(limits: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)\s/m.exec(limits) ?? [];
  return soft === undefined ? undefined : Number(soft);
}
