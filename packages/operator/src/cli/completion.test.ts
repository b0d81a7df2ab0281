import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { completionScript } from './completion.js';

const commands = [
  { name: 'status', description: "the leader's view: nodes", options: ['--json'] },
  { name: 'drain', description: 'empty nodes', options: ['--json', '--wait'] },
];

describe('completionScript', () => {
  it('completes commands, then their options, in bash', () => {
    const ask = (words: string[]) =>
      execFileSync('bash', [
        '-c',
        `${completionScript('bash', commands)}
COMP_WORDS=(${words.map((w) => `"${w}"`).join(' ')}); COMP_CWORD=${words.length - 1}; _evenkeel
printf '%s ' "\${COMPREPLY[@]}"`,
      ])
        .toString()
        .trim();
    expect(ask(['evenkeel', 'dr'])).toBe('drain');
    expect(ask(['evenkeel', 'drain', '--w'])).toBe('--wait');
  });

  it('quotes descriptions for zsh and fish', () => {
    expect(completionScript('zsh', commands)).toContain("'status:the leader'\\''s view\\: nodes'");
    expect(completionScript('fish', commands)).toContain("-d 'the leader\\'s view: nodes'");
  });
});
