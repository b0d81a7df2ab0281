import gifenc, { type Palette } from 'gifenc';
import { PNG } from 'pngjs';

/** One screenshot of a moving picture, and when it was taken. */
export interface Frame {
  readonly png: Buffer;
  readonly atMs: number;
}

/** One colour of the table is for "as before". */
const colours = 63;
const transparentIndex = colours;
/** Frames that the colours are chosen from. */
const sampled = 8;
/** Nothing happens for as long as an edge boots: nobody needs to see all of it. */
const maxStillMs = 700;
const lastMs = 2_500;

/** A GIF of the frames at the pace at which they were taken, long stills shortened; it begins again for ever. */
export function encodeGif(frames: readonly Frame[]): Uint8Array {
  const images = frames.map(({ png }) => PNG.sync.read(png));
  const [first] = images;
  if (first === undefined) throw new Error('A moving picture needs a frame.');
  const { width, height } = first;
  const palette = paletteOf(images);
  const encoder = gifenc.GIFEncoder();
  let shown: Uint8Array | undefined;
  // A frame is written when the next different one is known: until then it is shown.
  let pending: { index: Uint8Array; atMs: number } | undefined;
  const write = (untilMs: number, isLast = false): void => {
    if (pending === undefined) return;
    const delay = isLast ? lastMs : Math.min(maxStillMs, Math.max(20, untilMs - pending.atMs));
    encoder.writeFrame(changes(shown, pending.index), width, height, {
      ...(shown === undefined ? { palette, repeat: 0 } : {}),
      ...(shown === undefined ? {} : { transparent: true, transparentIndex }),
      delay: Math.round(delay / 10) * 10,
      dispose: 1,
    });
    shown = pending.index;
  };
  images.forEach(({ data }, i) => {
    const atMs = frames[i]?.atMs ?? 0;
    const index = gifenc.applyPalette(data, palette, 'rgb565');
    if (pending !== undefined && Buffer.compare(pending.index, index) === 0) return;
    write(atMs);
    pending = { index, atMs };
  });
  write(0, true);
  encoder.finish();
  return encoder.bytes();
}

function paletteOf(images: readonly PNG[]): Palette {
  const step = Math.max(1, Math.floor(images.length / sampled));
  const some = images.filter((_, i) => i % step === 0);
  const palette = gifenc.quantize(Buffer.concat(some.map(({ data }) => data)), colours, { format: 'rgb565' });
  while (palette.length < colours) palette.push([0, 0, 0]);
  return [...palette, [0, 0, 0]];
}

/** What is as it was becomes transparent: long runs of one value, which the format packs into next to nothing. */
function changes(before: Uint8Array | undefined, now: Uint8Array): Uint8Array {
  if (before === undefined) return now;
  return now.map((colour, i) => (colour === before[i] ? transparentIndex : colour));
}
