import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { TestTerminal } from '../../testing/printed.js';
import { completionScript, shapesOf } from './completion.js';
import { createProgram } from './program.js';

const unused = (): never => {
  throw new Error('no command is run here');
};
const commands = shapesOf(
  createProgram({
    terminal: new TestTerminal(),
    version: '0',
    withOperator: unused,
    send: unused,
    addresses: unused,
    brokerOf: unused,
    words: unused,
  }),
);

/** What bash offers for the last of these words, where the mesh has two nodes and two settings. */
function offered(...words: string[]): string[] {
  const script = `${completionScript('bash', commands)}
evenkeel() { [ "$*" = "completion --words nodes" ] && echo edge-1 edge-2 || echo mode window; }
COMP_WORDS=(${words.map((w) => `"${w}"`).join(' ')}); COMP_CWORD=${words.length - 1}; _evenkeel
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script]).toString().trim().split('\n');
}

describe('completion in bash', () => {
  it('offers commands, then their options', () => {
    expect(offered('evenkeel', 'dra')).toEqual(['drain', 'drain-broker']);
    expect(offered('evenkeel', 'drain', '--w')).toEqual(['--wait']);
  });

  it('offers the nodes of the mesh where a node stands, and settings where a setting does', () => {
    expect(offered('evenkeel', 'drain', '')).toEqual(['edge-1', 'edge-2']);
    expect(offered('evenkeel', 'drain', 'edge-1', '--wait', 'edge-2')).toEqual(['edge-2']);
    expect(offered('evenkeel', 'set', 'm')).toEqual(['mode']);
    expect(offered('evenkeel', 'set', 'weight', '2', '--node', '')).toEqual(['edge-1', 'edge-2']);
  });

  it('offers what an option takes: strategies, measures, states, orders', () => {
    expect(offered('evenkeel', 'plan', '--strategy', 'c')).toEqual(['consistent-hash']);
    expect(offered('evenkeel', 'rebalance', '--load', '')).toEqual(['connections', 'events', 'bytes', 'cpu']);
    expect(offered('evenkeel', 'status', '--state', 'dr')).toEqual(['draining']);
    expect(offered('evenkeel', 'top', '--sort', 'l')).toEqual(['load']);
    expect(offered('evenkeel', 'local', 'add')).toEqual(['add-edge']);
  });

  it('offers nothing for what it cannot know', () => {
    expect(offered('evenkeel', 'drain', '--deadline', '')).toEqual(['']);
  });
});

it('completion scripts are read by the shells that are here', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    let isHere = true;
    try {
      execFileSync(shell, ['-c', 'exit 0']);
    } catch {
      isHere = false;
    }
    if (isHere) execFileSync(shell, ['-n'], { input: completionScript(shell, commands) });
  }
});

it('completion quotes descriptions for zsh and fish', () => {
  const odd = [{ name: 'x', description: "the leader's view: nodes", options: [], argument: { words: [] } }];
  expect(completionScript('zsh', odd)).toContain("'x:the leader'\\''s view\\: nodes'");
  expect(completionScript('fish', odd)).toContain("-d 'the leader\\'s view: nodes'");
});
