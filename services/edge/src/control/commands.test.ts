import { type EdgeCommand, edgeCommand } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import { Commands, type CommandsOptions, commandersOf, mayCommand } from './commands.js';

const takeover = edgeCommand.parse({
  command: 'takeover',
  takeover: 't1',
  uid: 'u',
  sid: 's',
  from: 'e2',
  boot: 'b',
  epoch: 1,
  mode: 'move',
});
const released = edgeCommand.parse({
  command: 'released',
  takeover: 't1',
  uid: 'u',
  sid: 's',
  from: 'e2',
  outcome: 'unknown',
});
const claim = edgeCommand.parse({
  command: 'claim',
  claim: 'c1',
  ticket: 'e1.claims.signature',
  from: 'e2',
  boot: 'b',
  url: 'ws://mesh/ws',
});
const claimed = edgeCommand.parse({
  command: 'claimed',
  claim: 'c1',
  from: 'e2',
  outcome: 'taken',
  url: 'ws://mesh/ws',
});
const balancers: EdgeCommand[] = [
  { command: 'reconnect', move: 'p.1.1', to: { node: 'e2', url: 'ws://e2/ws' } },
  { command: 'cancel', move: 'p.1.1' },
  { command: 'cordon' },
  { command: 'uncordon' },
  { command: 'where', uid: 'u', reply: 'b1', ask: 'q' },
  { command: 'disconnect', uid: 'u', reply: 'b1', ask: 'q' },
];

describe('an edge', () => {
  it('does what the balancer commands, and nobody else', () => {
    const commanders = commandersOf(undefined, 'edge');
    for (const command of balancers) {
      expect(mayCommand(command, { user: 'balancer' }, commanders)).toBe(true);
      for (const user of [undefined, 'edge', 'edge-e2', 'operator', ''])
        expect(mayCommand(command, { user }, commanders)).toBe(false);
    }
  });

  it('lets another edge ask for sessions and about tickets, and answer, in its own name alone', () => {
    for (const command of [takeover, released, claim, claimed])
      for (const [user, isAllowed] of [
        ['edge-e2', true],
        ['edge', true],
        [undefined, true],
        ['edge-e3', false],
      ] as const)
        expect(mayCommand(command, { user }, new Set(['balancer']))).toBe(isAllowed);
  });

  it('knows the balancer by its user where it has a user of its own, and takes anybody where it has none', () => {
    expect(commandersOf(undefined, 'edge')).toEqual(new Set(['balancer']));
    expect(commandersOf(undefined, 'edge-e1')).toEqual(new Set(['balancer']));
    for (const user of ['guest', 'edgar', undefined]) expect(commandersOf(undefined, user)).toBe('any');
    expect(commandersOf(['ship', 'boss'], 'guest')).toEqual(new Set(['ship', 'boss']));
    expect(commandersOf(['*'], 'edge')).toBe('any');
    expect(mayCommand({ command: 'cordon' }, { user: undefined }, 'any')).toBe(true);
  });
});

describe('an edge that stood still, or is sent what it refuses', () => {
  it('logs each kind once in five seconds, with why, however many commands there are', () => {
    type Take = Parameters<CommandsOptions['control']['commands']>[1];
    const taking: Take[] = [];
    const logged: string[] = [];
    const options = {
      node: 'e1',
      control: { commands: (_node: string, onCommand: Take) => void taking.push(onCommand) },
      handlers: {},
      commanders: commandersOf(undefined, 'edge'),
      log: { warn: (_fields: object, message: string) => void logged.push(message) },
    };
    new Commands(options as unknown as CommandsOptions);
    const take = (...delivered: Parameters<Take>) => taking[0]?.(...delivered);
    for (let i = 0; i < 500; i += 1) {
      take(claim, { user: 'edge-e2' }, true);
      take(claimed, { user: 'edge-e3' }, false);
    }
    expect(logged).toEqual([
      'command left out: its sender has given it up',
      'command refused: not from the user of the edge that it names',
    ]);
  });
});
