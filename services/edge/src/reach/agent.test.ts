import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeNode } from '../node.js';
import { AgentServer, agentLine } from './agent.js';

const nodeThat = (does: (node: EdgeNode) => void = () => {}) => {
  const node = new EdgeNode('edge-1', 'b1');
  does(node);
  return node;
};

describe("what HAProxy's agent check is told", () => {
  it.each([
    [0, 'ready up 100%\n'],
    [27, 'ready up 73%\n'],
    [100, 'ready up 1%\n'],
    [120, 'ready up 1%\n'],
  ])('is the part of the capacity that is free, with %i of 100 connections', (connections, line) => {
    expect(agentLine({ node: nodeThat(), connections, capacity: 100 })).toBe(line);
  });

  it('is drain while an operator keeps clients off, its memory is low or it drains, and up while it looks for itself through HAProxy', () => {
    const line = (node: EdgeNode) => agentLine({ node, connections: 0, capacity: 100 });
    expect(line(nodeThat((node) => node.cordon()))).toBe('drain\n');
    expect(line(nodeThat((node) => node.drain()))).toBe('drain\n');
    const low = { part: 0.9, of: 'heap', isLow: true } as const;
    expect(line(nodeThat((node) => node.usesMemory(low)))).toBe('drain\n');
    expect(line(nodeThat((node) => node.reaches('no')))).toBe('ready up 100%\n');
  });

  it('is one line to each connection, which is then closed, whatever is sent', async () => {
    const agent = new AgentServer(() => ({ node: nodeThat(), connections: 50, capacity: 100 }));
    const port = await agent.start('127.0.0.1', 0);
    onTestFinished(() => agent.stop());
    for (const sent of ['', 'hello\n']) {
      const socket = connect(port, '127.0.0.1');
      socket.write(sent);
      expect(await text(socket)).toBe('ready up 50%\n');
    }
    await expect(
      new AgentServer(() => ({ node: nodeThat(), connections: 0, capacity: 1 })).start('127.0.0.1', port),
    ).rejects.toThrow('EADDRINUSE');
  });

  it('is read within five seconds or not at all, by a peer that goes on sending too; a stop waits for nobody', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const agent = new AgentServer(() => ({ node: nodeThat(), connections: 0, capacity: 100 }));
    const port = await agent.start('127.0.0.1', 0);
    /** Keeps its own side open, and talks. */
    const talker = async () => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      const closed = new Promise((resolve) => socket.on('error', () => {}).on('close', resolve));
      await once(socket.resume(), 'end');
      return { socket, closed };
    };
    const { socket, closed } = await talker();
    for (const _ of [1, 2, 3, 4]) {
      await new Promise<unknown>((resolve) => socket.write('x', resolve));
      vi.advanceTimersByTime(1_300);
    }
    // What is sent to a connection that is gone is answered with its end.
    const talking = setInterval(() => socket.write('x'), 5);
    await closed;
    clearInterval(talking);
    await talker();
    await agent.stop();
  });
});
