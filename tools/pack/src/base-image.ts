/** What an image is built on. */
export interface BaseImage {
  /** The Dockerfile's argument for it. */
  readonly argument: string;
  /** With its digest: a tag may name something else tomorrow. Without one where nothing is published. */
  readonly image: string;
}

/**
 * The base that a Dockerfile names as the default of `ARG …_IMAGE`, with the digest that its tag has now.
 * @throws Error when it names none, or when what is said to be a digest is none.
 */
export function pinnedBase(dockerfile: string, digestOf: ((image: string) => string) | undefined): BaseImage {
  const [, argument, image] = /^ARG (\w+_IMAGE)=(\S+)$/m.exec(dockerfile) ?? [];
  if (argument === undefined || image === undefined)
    throw new Error('The Dockerfile names no base: ARG …_IMAGE=….');
  if (digestOf === undefined) return { argument, image };
  const digest = digestOf(image);
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`${image} has no digest, but "${digest}".`);
  return { argument, image: `${image}@${digest}` };
}
