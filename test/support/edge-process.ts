import type { Member } from '@evenkeel/local';
import { vi } from 'vitest';

/** One edge process. */
export class EdgeUnderTest {
  readonly node: string;
  readonly url: string;
  readonly member: Member;
  /** What it has logged, line by line. */
  readonly lines: string[];

  constructor(node: string, url: string, member: Member, lines: string[]) {
    this.node = node;
    this.url = url;
    this.member = member;
    this.lines = lines;
  }

  hasLogged(message: string): boolean {
    return this.lines.some((line) => line.includes(message));
  }

  /** Its last statistics, up to a second old. */
  async stats(): Promise<{
    boot: string;
    sessions: number;
    connections: number;
    unacked: number;
    rssBytes: number;
  }> {
    const response = await fetch(`${this.member.opsUrl}/status`);
    return (await response.json()) as Awaited<ReturnType<EdgeUnderTest['stats']>>;
  }

  /** Waits until its statistics say that it holds this many deliveries. */
  async unacked(count: number): Promise<void> {
    await vi.waitUntil(async () => (await this.stats()).unacked === count, { timeout: 10_000, interval: 50 });
  }
}
