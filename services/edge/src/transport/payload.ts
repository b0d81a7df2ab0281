/** A `hello` names all topics: it may have so many times the limit of other frames. */
const helloPayloads = 2;

/** Whether a frame that is over the limit may be: as the first one of a client. */
export function isLongHello(text: string, bytes: number, maxPayloadBytes: number): boolean {
  if (bytes > helloPayloads * maxPayloadBytes) return false;
  try {
    return (JSON.parse(text) as { t?: unknown } | null)?.t === 'hello';
  } catch {
    return false;
  }
}
