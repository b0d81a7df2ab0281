import { type Log, otlpTarget } from '@evenkeel/runtime';
import type { EdgeConfig } from '../config.js';
import { SpanExporter } from './exporter.js';
import { Follower } from './follower.js';
import { spansOf } from './spans.js';

/** Who follows messages that belong to a trace, and who exports spans of them; undefined: nobody looks. */
export function followingOf(
  { otel, node, version }: Pick<EdgeConfig, 'otel' | 'node' | 'version'>,
  log: Pick<Log, 'debug' | 'warn' | 'isLevelEnabled'>,
): { following: Follower | undefined; spans: SpanExporter | undefined } {
  const written = log.isLevelEnabled('debug') ? log : undefined;
  if (!otel) return { following: written && new Follower(written), spans: undefined };
  const { url, headers, serviceName } = otlpTarget();
  const resource = {
    'service.name': serviceName,
    'service.instance.id': node,
    'service.version': version,
  };
  const spans = new SpanExporter({ resource, url, headers, log });
  return {
    following: new Follower(
      written,
      spansOf((span) => spans.add(span)),
    ),
    spans,
  };
}
