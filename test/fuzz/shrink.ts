/**
 * The same fault with less: parts are left out, larger ones first, then what is left is made plain.
 * @param fails whether an input has the fault still; asked so many times at most
 */
export async function shrunk(
  input: Buffer,
  fails: (smaller: Buffer) => Promise<boolean>,
  maxTries: number,
): Promise<Buffer> {
  let tries = 0;
  const isStill = async (next: Buffer): Promise<boolean> => {
    tries += 1;
    return tries <= maxTries && (await fails(next));
  };
  let least = input;
  for (let size = Math.ceil(input.length / 2); size >= 1 && tries < maxTries; ) {
    let hasShrunk = false;
    for (let from = 0; from < least.length && tries < maxTries; ) {
      const next = Buffer.concat([least.subarray(0, from), least.subarray(from + size)]);
      if (await isStill(next)) {
        least = next;
        hasShrunk = true;
      } else from += size;
    }
    if (!hasShrunk || size > least.length) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  const plain = 'a'.charCodeAt(0);
  for (let at = 0; at < least.length && tries < maxTries; at += 1) {
    const code = least[at] ?? plain;
    if (code === plain || /[\s{}[\]",:0-9]/.test(String.fromCharCode(code))) continue;
    const next = Buffer.from(least);
    next[at] = plain;
    if (await isStill(next)) least = next;
  }
  return least;
}
