import type { Namespaces } from '@evenkeel/access';
import type { History, PresenceCopy, TailRecord } from '@evenkeel/mesh';
import { writePosition } from '@evenkeel/mesh';
import { Refusal } from '@evenkeel/runtime';
import { maxPageMessages } from '../contract/limits.js';
import type { TopicMembers } from '../contract/topics.js';
import { WrittenJson } from '../contract/written-json.js';
import { maxPageBytes } from './limits.js';

/** What is kept of a message: what its frame has behind topic and position; undefined: it is too long. */
export type Kept = string | undefined;

/** What is asked of a topic's past: what came behind a position, or the newest. */
export type PastWanted = { readonly since: string } | { readonly last: number };

export interface TopicLooksOptions {
  readonly namespaces: Pick<Namespaces, 'historyOf' | 'hasPresence'>;
  readonly history: Pick<History<Kept>, 'of'>;
  readonly presence: Pick<PresenceCopy, 'of'>;
  /** True, or why what is known here may be old. */
  readonly historyReadiness: () => true | string;
  readonly presenceReadiness: () => true | string;
}

/** What topics have of the past, and who is in them. */
export class TopicLooks {
  readonly #options: TopicLooksOptions;

  constructor(options: TopicLooksOptions) {
    this.#options = options;
  }

  /** @throws Refusal `no-history`, `history-lost`, `unavailable` */
  async past(topic: string, wanted: PastWanted): Promise<WrittenJson> {
    const { namespaces, history, historyReadiness } = this.#options;
    const stream = namespaces.historyOf(topic) && history.of(topic);
    if (stream === undefined) {
      const message = `the namespace of ${topic} keeps no history, as EVENKEEL_NAMESPACES of the API has it`;
      throw new Refusal(404, 'no-history', message);
    }
    requireReady(historyReadiness());
    const { is, records, upTo } = await new Promise<Parameters<Parameters<typeof stream.since>[2]>[0]>(
      (resolve) => {
        if ('since' in wanted) stream.since(topic, wanted.since, resolve);
        else stream.last(topic, wanted.last, resolve);
      },
    );
    if (is === 'lost') {
      const message =
        'messages behind this position are gone, or it is none of this history; read the newest with last';
      throw new Refusal(410, 'history-lost', message);
    }
    const page = 'since' in wanted ? pageOf(records) : records;
    const hasMore = page.length < records.length;
    const end = hasMore ? page.at(-1) : upTo;
    return new WrittenJson(
      `{"topic":${JSON.stringify(topic)},"messages":[${page.map(messageText).join(',')}]` +
        `${end === undefined ? '' : `,"position":${JSON.stringify(writePosition(end))}`},"more":${hasMore}}`,
    );
  }

  /** @throws Refusal `no-presence`, `unavailable` */
  async members(topic: string): Promise<TopicMembers> {
    const { namespaces, presence, presenceReadiness } = this.#options;
    requireReady(presenceReadiness());
    const { count, users } = presence.of(topic);
    // Edges may have rules that were not given here.
    if (count === 0 && !namespaces.hasPresence(topic)) {
      const message = `who is in ${topic} is not kept, as EVENKEEL_NAMESPACES of the API has it`;
      throw new Refusal(404, 'no-presence', message);
    }
    return { topic, count, ...(users && { users: [...users] }) };
  }
}

/** @throws Refusal */
export function requireReady(readiness: true | string): void {
  if (readiness !== true) throw new Refusal(503, 'unavailable', readiness, { 'retry-after': '1' });
}

/** The first of them that one answer may have, one at least. */
function pageOf(records: readonly TailRecord<Kept>[]): readonly TailRecord<Kept>[] {
  let bytes = 0;
  const end = records.findIndex((record, n) => {
    bytes += record.bytes;
    return n > 0 && (n >= maxPageMessages || bytes > maxPageBytes);
  });
  return end < 0 ? records : records.slice(0, end);
}

const messageText = (record: TailRecord<Kept>): string =>
  `{"position":"${writePosition(record)}"${record.item ?? ',"tooLarge":true'}}`;
