import { expect, test } from 'vitest';
import { playUntilCaught, without } from './random.js';

const never = () => false;
/** Schedules of these seeds fail. */
const failing = (...seeds: number[]) => {
  const commands: string[] = [];
  const attempt = (command: string) => {
    commands.push(command);
    const isBad = seeds.includes(Number(command.split(' ').at(-1)));
    return isBad ? { status: 1, output: '0 passed, 1 failed' } : { status: 0, output: '1 passed, 0 failed' };
  };
  return { commands, attempt };
};

test('schedules are played until one fails, and that one is named', () => {
  const { commands, attempt } = failing(6);
  expect(playUntilCaught([5, 6, 7], attempt, never)).toEqual({ verdict: 'caught', seed: 6, schedules: 2 });
  expect(commands).toEqual([
    'npm run chaos -- --no-shrink --seed 5',
    'npm run chaos -- --no-shrink --seed 6',
  ]);
});

test('what none of them catches has survived, and when time is over it is not known', () => {
  const { attempt } = failing();
  expect(playUntilCaught([1, 2], attempt, never)).toEqual({ verdict: 'survived', schedules: 2 });
  expect(playUntilCaught([1, 2], attempt, () => true)).toEqual({ verdict: 'not run', schedules: 0 });
});

test('a schedule that fails without any breakage has caught nothing', () => {
  const { commands, attempt } = failing(2);
  const caught = (mutant: string, seed: number) => ({
    mutant,
    verdict: 'caught' as const,
    seed,
    schedules: 1,
  });
  const survived = { mutant: 'c', verdict: 'survived' as const, schedules: 3 };
  const verdicts = without(
    [caught('a', 1), caught('b', 2), caught('d', 1), survived],
    attempt,
    () => undefined,
  );
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(['caught', 'unclear', 'caught', 'survived']);
  expect(commands).toHaveLength(2);
});
