import type { Counts } from '../../fleet/counts.js';
import type { NumberedEvent } from '../../fleet/messages.js';
import { SequenceRecord } from '../../fleet/sequence-record.js';
import type { RecordedClient } from './group.js';

const incidentsKept = 5;

/** A client that notes for itself what has come of what was sent to it. */
export abstract class RecordingClient implements RecordedClient {
  readonly record = new SequenceRecord();
  /** What came of the topic with the number that stands beside it. */
  readonly topic?: { readonly number: number; readonly record: SequenceRecord };
  readonly gaps: Counts = {};
  readonly topicGaps: Counts = {};
  readonly incidents: string[] = [];
  changes = 0;
  misrouted = 0;
  disconnects = 0;
  isConnected = false;
  /** Its node; empty before the first. */
  protected node = '';
  readonly #name: string;
  readonly #n: number;

  constructor(name: string, n: number, topic?: number) {
    this.#name = name;
    this.#n = n;
    if (topic !== undefined) this.topic = { number: topic, record: new SequenceRecord() };
  }

  abstract stop(): Promise<void>;

  protected onEvent({ n, k }: NumberedEvent): void {
    if (n === this.#n) this.record.note(k);
    else this.misrouted++;
  }

  protected onNode(node: string): void {
    if (this.node !== '' && node !== this.node) this.changes++;
    this.node = node;
    this.isConnected = true;
  }

  protected onIncident(what: string): void {
    if (this.incidents.length < incidentsKept) this.incidents.push(`${this.#name}: ${what}`);
  }
}
