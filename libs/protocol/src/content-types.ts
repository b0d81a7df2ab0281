/** Whether a body of this type is JSON. Source: PROTOCOL.md, "Bodies". */
export const isJsonType = (type: string): boolean =>
  /^(?:(?:application|text)\/json|[^;]*\+json)\s*(?:;|$)/i.test(type);

/** Whether it is text, if it is no JSON. */
export const isTextType = (type: string): boolean => /^text\//i.test(type);
