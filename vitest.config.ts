import { defineConfig } from 'vitest/config';

const broker = ['test/support/global-setup.ts'];

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
            'services/balancer/sim/*.test.ts',
          ],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: broker,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/{system,browser}/**/*.test.ts'],
          globalSetup: broker,
          // Each of these brings a whole mesh of processes.
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 180_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
