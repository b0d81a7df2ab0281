/**
 * 32-bit FNV-1a over the UTF-16 code units of `text`, low byte first (a unit under 256 is one byte).
 * Source: Fowler, Noll and Vo. Fast and stable over processes and versions; not for secrets. Its low bits depend on the
 * low bits of the characters alone: take {@link hash32} where the bits must be mixed.
 */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

/** {@link fnv1a}, then {@link mix32}: similar texts land far apart, in every bit. */
export const hash32 = (text: string): number => mix32(fnv1a(text));

/** The finaliser of MurmurHash3: of 32 bits others, each of which depends on all of them. */
export function mix32(bits: number): number {
  let hash = bits;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
