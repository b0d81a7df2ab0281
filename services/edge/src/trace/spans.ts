import { randomBytes } from 'node:crypto';
import { wallNow } from '@evenkeel/pace';
import type { TraceContext } from '@evenkeel/protocol';
import type { BeginSpan, Span } from './follower.js';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

/** Attributes, all of them text, as OTLP has them in JSON. */
export const attributesOf = (texts: Readonly<Record<string, string>>): Attribute[] =>
  Object.entries(texts).map(([key, stringValue]) => ({ key, value: { stringValue } }));

/** A span as OTLP has it in JSON. */
export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState?: string;
  readonly flags: number;
  readonly name: string;
  /** `CONSUMER`. */
  readonly kind: 5;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events: readonly { readonly name: string; readonly timeUnixNano: string }[];
}

/** `traceparent` says that whoever made it records. */
const sampledFlag = 1;

/**
 * Spans, each a child of what the publisher or the client has sent, and only where that is sampled. `onEnded` gets them as they end.
 */
export const spansOf =
  (onEnded: (span: SpanRecord) => void, now = wallNow): BeginSpan =>
  (name, context, attributes) =>
    isSampled(context) ? new RecordedSpan(name, context, attributes, onEnded, now) : undefined;

/** Text, since JSON has no whole numbers of that size; what a clock tells in ms is true to µs at best. */
const nanoseconds = (ms: number): string => `${Math.round(ms * 1_000)}000`;

const isSampled = ({ traceparent }: TraceContext): boolean =>
  (Number.parseInt(traceparent.slice(53, 55), 16) & sampledFlag) !== 0;

class RecordedSpan implements Span {
  readonly #name: string;
  readonly #context: TraceContext;
  readonly #attributes: Readonly<Record<string, string>>;
  readonly #onEnded: (span: SpanRecord) => void;
  readonly #now: () => number;
  readonly #startMs: number;
  readonly #events: { name: string; timeUnixNano: string }[] = [];

  constructor(
    name: string,
    context: TraceContext,
    attributes: Readonly<Record<string, string>>,
    onEnded: (span: SpanRecord) => void,
    now: () => number,
  ) {
    this.#name = name;
    this.#context = context;
    this.#attributes = attributes;
    this.#onEnded = onEnded;
    this.#now = now;
    this.#startMs = now();
  }

  addEvent(name: string): void {
    this.#events.push({ name, timeUnixNano: nanoseconds(this.#now()) });
  }

  end(): void {
    const { traceparent, tracestate } = this.#context;
    this.#onEnded({
      traceId: traceparent.slice(3, 35),
      spanId: randomBytes(8).toString('hex'),
      parentSpanId: traceparent.slice(36, 52),
      ...(tracestate !== undefined && { traceState: tracestate }),
      flags: sampledFlag,
      name: this.#name,
      kind: 5,
      startTimeUnixNano: nanoseconds(this.#startMs),
      endTimeUnixNano: nanoseconds(this.#now()),
      attributes: attributesOf(this.#attributes),
      events: this.#events,
    });
  }
}
