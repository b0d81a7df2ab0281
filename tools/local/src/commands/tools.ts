/** What `node tools/local/run.mjs NAME` runs: the compiled file, relative to the repository's root. */
export const tools: Readonly<Record<string, string>> = {
  story: 'bench/dist/story.js',
  smoke: 'bench/dist/smoke.js',
  'bench:compare': 'bench/dist/compare.js',
  'bench:mutants': 'bench/dist/mutants.js',
  'bench:figures': 'bench/dist/figures.js',
  'bench:move': 'bench/dist/move.js',
  'bench:roll': 'bench/dist/roll.js',
  'bench:sessions': 'bench/sessions/run.mjs',
  attack: 'test/dist/attack/main.js',
  cases: 'test/dist/cases/main.js',
  'check:delivery': 'test/dist/delivery/main.js',
  conformance: 'packages/conformance/dist/main.js',
  screenshots: 'tools/pictures/dist/main.js',
  sim: 'services/balancer/sim/dist/sim/main.js',
  pack: 'tools/pack/dist/main.js',
  release: 'tools/pack/dist/release.js',
};
