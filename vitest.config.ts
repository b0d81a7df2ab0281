import { configDefaults, defineConfig } from 'vitest/config';

const broker = ['test/support/global-setup.ts'];
/** `npm run test:long`: model-based tests try many times more, and nobody waits in front of it. */
const isLong = process.env.EVENKEEL_TEST_RUNS !== undefined;
const exclude = [...configDefaults.exclude, ...(isLong ? [] : ['**/*.long.test.ts'])];
const longMs = 3_600_000;
/** What another process does is polled for so long, on a busy machine too. */
const pollMs = 15_000;

export default defineConfig({
  test: {
    // Two, as on the smallest machine this is run on.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{libs,packages,services,tools,bench}/**/src/**/*.test.ts',
            'services/{balancer,gateway}/sim/*.test.ts',
            'test/{attack,chaos,contract,delivery,fuzz,page-life,soak}/**/*.test.ts',
          ],
          exclude,
          // Loading what they import takes most of their time: those of one worker share it.
          isolate: false,
          setupFiles: ['test/support/shared-process.ts'],
          testTimeout: isLong ? longMs : 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: broker,
          // These wait for the broker for most of their time.
          maxWorkers: 3,
          exclude,
          isolate: false,
          setupFiles: ['test/support/shared-process.ts'],
          testTimeout: isLong ? longMs : 60_000,
          expect: { poll: { timeout: pollMs } },
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/{system,browser}/**/*.test.ts'],
          globalSetup: broker,
          // Each of these brings a whole mesh of processes, and waits for most of its time.
          maxWorkers: 2,
          exclude,
          isolate: false,
          setupFiles: ['test/support/shared-process.ts'],
          testTimeout: isLong ? longMs : 180_000,
          expect: { poll: { timeout: pollMs } },
          hookTimeout: 90_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
