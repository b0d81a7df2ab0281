import { describe, expect, it } from 'vitest';
import { faults } from '../delivery/run/faults.js';
import { type Planned, readSchedule, scheduleOf, scheduleText, shrunk } from './schedule.js';

const lengthMs = 60_000;
const seeds = Array.from({ length: 200 }, (_, seed) => seed);

describe('a schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(scheduleOf(7, lengthMs, faults)).toEqual(scheduleOf(7, lengthMs, faults));
    expect(scheduleOf(7, lengthMs, faults)).not.toEqual(scheduleOf(8, lengthMs, faults));
  });

  it('is over in time, and has no two faults of one part at once', () => {
    for (const seed of seeds) {
      const schedule = scheduleOf(seed, lengthMs, faults);
      for (const [n, { name, atMs, forMs }] of schedule.entries()) {
        expect(atMs + forMs).toBeLessThanOrEqual(lengthMs);
        const same = schedule.slice(n + 1).filter((other) => partOf(other) === partOf({ name }));
        for (const other of same) expect(other.atMs).toBeGreaterThan(atMs + forMs);
      }
    }
  });

  it('has every fault in one seed or another, and several at a time', () => {
    const all = seeds.map((seed) => scheduleOf(seed, lengthMs, faults));
    expect(new Set(all.flat().map(({ name }) => name))).toEqual(new Set(Object.keys(faults)));
    const overlaps = (schedule: readonly Planned[]) =>
      schedule.some(({ atMs, forMs }, n) => schedule.slice(n + 1).some((later) => later.atMs < atMs + forMs));
    expect(all.filter(overlaps).length).toBeGreaterThan(seeds.length / 4);
  });

  it('is read as it is printed', () => {
    const schedule = scheduleOf(3, lengthMs, faults);
    expect(readSchedule(scheduleText(schedule))).toEqual(schedule);
    expect(() => readSchedule('edge-killed@now')).toThrow('name@from+for');
  });

  it('that fails is shrunk to what it takes', async () => {
    const schedule = scheduleOf(3, lengthMs, faults);
    const [first, , third] = schedule;
    const fails = async (some: readonly Planned[]) =>
      some.includes(first as Planned) && some.includes(third as Planned);
    expect(await shrunk(schedule, fails, 100)).toEqual([first, third]);
  });

  it('that needs all of its faults stays as it is', async () => {
    const schedule = scheduleOf(3, lengthMs, faults);
    let plays = 0;
    const fails = async (some: readonly Planned[]) => {
      plays += 1;
      return some.length === schedule.length;
    };
    expect(await shrunk(schedule, fails, 100)).toEqual(schedule);
    expect(plays).toBeLessThan(3 * schedule.length);
  });

  it('is played so often at most', async () => {
    const schedule = scheduleOf(3, lengthMs, faults);
    let plays = 0;
    const fails = async (some: readonly Planned[]) => {
      plays += 1;
      return some.includes(schedule[0] as Planned) && some.length >= 2;
    };
    const least = await shrunk(schedule, fails, 3);
    expect(plays).toBe(3);
    expect(least).toContain(schedule[0]);
  });
});

const partOf = ({ name }: Pick<Planned, 'name'>) => faults[name]?.part;
