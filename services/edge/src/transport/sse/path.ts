/** The last part of the path is what counts: a front may have put others before it. */
const form = /\/sse(?:\/([A-Za-z0-9._-]{1,128}))?$/;

/**
 * What a path has to do with streams: `''`: a stream is asked for; else the connection that frames are for; undefined:
 * nothing.
 */
export function connectionOfPath(path: string): string | undefined {
  const found = form.exec(path);
  return found ? (found[1] ?? '') : undefined;
}
