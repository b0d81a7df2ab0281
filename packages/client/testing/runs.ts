/** Sequences that a model-based test tries; `npm run test:long` asks for more. */
export const runs = Number(process.env.EVENKEEL_TEST_RUNS ?? 300);
