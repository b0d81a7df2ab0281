/** Answers a request that carries nothing back. */
export const okFrame = (re: string): string => `{"t":"ok","re":${JSON.stringify(re)}}`;

/** Answers a request that failed; `re` is unknown when the frame had no readable id. */
export const errorFrame = (re: string | undefined, code: string, message: string): string =>
  JSON.stringify({ t: 'error', re, code, message });
