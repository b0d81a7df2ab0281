/** CloudEvents 1.0 as messages of the mesh carry them: in binary mode by headers, in structured mode as the body. */

/**
 * An event as https://cloudevents.io describes it, with its extensions.
 * @example
 * client.on('*', (event) => {
 *   const found: CloudEvent | undefined = cloudEventOf(event);
 *   console.log(found?.type);
 * });
 */
export interface CloudEvent<Data = unknown> {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly data?: Data;
  readonly [extension: string]: unknown;
}

/** What an event, a message of a topic, or a request has of it. */
interface Carrier {
  readonly data?: unknown;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  readonly contentType?: string | undefined;
}

const prefix = /^cloudEvents[:_]/;

/**
 * The CloudEvent that an event, a message of a topic or a request carries, in either mode; undefined: it carries none.
 * @example
 * client.on('*', (event) => console.log(cloudEventOf(event)?.type));
 */
export function cloudEventOf<Data = unknown>(message: Carrier): CloudEvent<Data> | undefined {
  const { data, headers = {}, contentType } = message;
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers))
    if (prefix.test(name)) attributes[name.replace(prefix, '').toLowerCase()] = value;
  const known = contentType ?? (typeof data === 'string' || data === null ? undefined : 'application/json');
  const type = known === undefined ? {} : { datacontenttype: known };
  const binary = { ...type, ...attributes, ...(data !== null && { data }) };
  if (isCloudEvent<Data>(binary)) return binary;
  if (typeof data !== 'object' || data === null) return undefined;
  const { data_base64: base64, ...rest } = data as Record<string, unknown>;
  const structured = typeof base64 === 'string' ? { ...rest, data: bytesOf(base64) } : rest;
  return isCloudEvent<Data>(structured) ? structured : undefined;
}

function isCloudEvent<Data>(value: Record<string, unknown>): value is CloudEvent<Data> & typeof value {
  const { specversion, ...attributes } = value;
  return specversion === '1.0' && ['id', 'source', 'type'].every((name) => isText(attributes[name]));
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function bytesOf(base64: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
