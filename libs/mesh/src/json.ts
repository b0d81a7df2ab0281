/** Longer than anything that the mesh says to itself: a `reconnect` of 10,000 sessions has less. */
const maxBytes = 4_194_304;

/** What a body says; undefined where it is no JSON, or far too long, which no schema takes. */
export function readJson(body: Buffer): unknown {
  if (body.length > maxBytes) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
