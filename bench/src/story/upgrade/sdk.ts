import type { connect } from '@evenkeel/client';
import type { createPublisher, Publisher, Service as Serving } from '@evenkeel/publisher';

export const versions = ['old', 'new'] as const;
export type Version = (typeof versions)[number];

/** Whose user the broker knows: what it may serve begins with its name. */
export const application = 'shop';

/** An SDK for clients and one for services, of one version. */
export interface Sdk {
  readonly version: Version;
  readonly connect: typeof connect;
  readonly createPublisher: typeof createPublisher;
}

/** An application service that runs. */
export interface Service {
  readonly sdk: Sdk;
  readonly publisher: Publisher;
  readonly running: readonly Serving[];
}

/** What the service of that version is asked by, and what it is told by. */
export const ask = (version: Version): string => `${application}.ask.${version}`;
export const tell = (version: Version): string => `${application}.tell.${version}`;
