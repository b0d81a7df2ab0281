import type { Publisher } from '@evenkeel/broker';
import { allEdgesKey, type CommandOf } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { edgeConfig } from '../config.js';
import { Directory } from '../session/directory.js';
import type { Session } from '../session/session.js';
import { Takeovers } from './takeovers.js';

const config = edgeConfig.parse({ secret: ['takeovers-test-secret'], node: 'a', takeoverRetryMs: 1_000 });
const session = { claims: { uid: 'u', sid: 's', epoch: 5 } } as Session;
let asked: { key: string; command: CommandOf<'takeover'> }[];
let takeovers: Takeovers;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  const publish = (_exchange: string, key: string, body: string) => {
    asked.push({ key, command: JSON.parse(body) });
    return Promise.resolve('routed');
  };
  takeovers = new Takeovers(config, 'boot', { publish } as unknown as Publisher, new Directory(), {} as Log);
});
afterEach(() => void vi.useRealTimers());

function edgeAnswers(outcome: 'refused' | 'unknown'): void {
  const takeover = asked[0]?.command.takeover ?? '';
  takeovers.onReleased({ command: 'released', takeover, uid: 'u', sid: 's', from: 'b', outcome });
}

describe('a search among all edges', () => {
  it('repeats the same question until it is answered', async () => {
    const answer = takeovers.search(session, 1_500);
    // The first answers are lost: the queue they would come to is not there yet.
    await vi.advanceTimersByTimeAsync(700);
    expect(asked.length).toBeGreaterThan(1);
    expect(new Set(asked.map(({ key }) => key))).toEqual(new Set([allEdgesKey]));
    expect(new Set(asked.map(({ command }) => command.takeover)).size).toBe(1);
    edgeAnswers('refused');
    expect((await answer).outcome).toBe('refused');
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(asked).toHaveLength(before);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends as unknown when nobody answers, or only such as do not know', async () => {
    const answer = takeovers.search(session, 1_500);
    edgeAnswers('unknown');
    await vi.advanceTimersByTimeAsync(1_500);
    expect((await answer).outcome).toBe('unknown');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives each question an identity of its own', () => {
    void takeovers.search(session, 1_500);
    void takeovers.search(session, 1_500);
    vi.advanceTimersByTime(20);
    expect(new Set(asked.map(({ command }) => command.takeover)).size).toBe(asked.length);
  });
});
