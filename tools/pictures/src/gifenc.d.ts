/** The part of gifenc that is used; it has no types of its own. */
declare module 'gifenc' {
  export type Palette = [number, number, number][];
  interface Encoder {
    writeFrame(
      index: Uint8Array,
      width: number,
      height: number,
      options: {
        palette?: Palette;
        /** Ms, in steps of 10. */
        delay: number;
        transparent?: boolean;
        transparentIndex?: number;
        /** 1: what is transparent shows the frame before. */
        dispose?: number;
        /** 0: for ever. */
        repeat?: number;
      },
    ): void;
    finish(): void;
    bytes(): Uint8Array;
  }
  interface Module {
    GIFEncoder(): Encoder;
    quantize(rgba: Uint8Array, maxColours: number, options?: { format?: 'rgb565' | 'rgb444' }): Palette;
    applyPalette(rgba: Uint8Array, palette: Palette, format?: 'rgb565' | 'rgb444'): Uint8Array;
  }
  const gifenc: Module;
  export default gifenc;
}
