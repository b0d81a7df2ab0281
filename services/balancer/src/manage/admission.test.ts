import { type ManageCommand, manageCommand } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import { nameOf, refuseEntry, senderOf } from './admission.js';

const operators = new Set(['operator', 'console']);
const by = (exchange: string, key: string, userId?: string) => ({
  exchange,
  key,
  properties: { headers: {}, ...(userId === undefined ? {} : { userId }) },
});
const command = (name: string): ManageCommand => manageCommand.parse({ command: name });
const codeOf = (
  delivery: ReturnType<typeof by>,
  name: string,
  allowed: ReadonlySet<string> = operators,
): string | undefined => {
  const refused = refuseEntry(delivery, command(name), allowed);
  return refused === undefined || refused.ok ? undefined : refused.error.code;
};

describe('a command that comes by the exchange', () => {
  it('is taken under its own key alone', () => {
    expect(codeOf(by('mesh.manage', 'view.status', 'ann'), 'status')).toBeUndefined();
    expect(codeOf(by('mesh.manage', 'operate.drain', 'ann'), 'drain')).toBeUndefined();
    for (const key of [
      'view.drain',
      'view.status',
      'operate.status',
      'operate.cordon',
      'operate',
      'operate.drain.x',
    ])
      expect(codeOf(by('mesh.manage', key, 'ann'), 'drain')).toBe('bad-command');
    expect(codeOf(by('mesh.manage', 'operate.status', 'ann'), 'status')).toBe('bad-command');
  });

  it('changes nothing without a user', () => {
    expect(codeOf(by('mesh.manage', 'operate.drain'), 'drain')).toBe('forbidden');
    expect(codeOf(by('mesh.manage', 'view.plan'), 'plan')).toBeUndefined();
    expect(codeOf(by('mesh.manage', 'operate.drain'), 'drain', new Set(['anonymous']))).toBeUndefined();
  });
});

it('as a dead letter a command counts for nothing: whoever declares a queue chooses its key', () => {
  const sent = by('mesh.manage', 'operate.drain', 'ann');
  const properties = { ...sent.properties, headers: { 'x-death': [] } };
  expect(codeOf({ ...sent, properties }, 'drain')).toBe('forbidden');
});

describe('a command that comes by the queue', () => {
  it('may look, whoever sends it', () => {
    for (const name of ['status', 'plan'])
      for (const user of [undefined, 'shop', 'operator'])
        expect(codeOf(by('', 'mesh.manage', user), name)).toBeUndefined();
  });

  it('changes something only for a user that is listed', () => {
    expect(codeOf(by('', 'mesh.manage', 'operator'), 'drain')).toBeUndefined();
    for (const user of [undefined, 'shop', 'viewer', '', 'Operator'])
      expect(codeOf(by('', 'mesh.manage', user), 'drain')).toBe('forbidden');
    expect(codeOf(by('some.exchange', 'operate.drain', 'shop'), 'drain')).toBe('forbidden');
  });
});

it('believes only the console whom it commands for', () => {
  const drain = manageCommand.parse({ command: 'drain', node: 'e1', onBehalfOf: 'ann' });
  const senderBy = (user: string) => senderOf(by('mesh.manage', 'operate.drain', user), drain);
  expect(senderBy('console')).toEqual({ user: 'console', onBehalfOf: 'ann' });
  expect(nameOf(senderBy('console'))).toBe('ann (console)');
  expect(senderBy('operator')).toEqual({ user: 'operator' });
  expect(senderOf(by('', 'mesh.manage'), drain)).toEqual({ user: 'anonymous' });
});
