// Who may import whom. The reasons are in CONTRIBUTING.md.
const only = (name, what, where) => ({
  name,
  severity: 'error',
  from: { pathNot: where },
  to: { path: what },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Types may know each other: nothing of that is left at run time.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'libs-not-to-services',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(services|infra|bench|test)/' },
    },
    {
      name: 'services-not-to-each-other',
      comment: 'They meet on AMQP.',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'services-not-to-tooling',
      severity: 'error',
      from: { path: '^services/' },
      to: { path: '^(infra|bench|test)/' },
    },
    {
      name: 'tooling-not-to-services',
      comment: 'It starts them as processes, like anybody else.',
      severity: 'error',
      from: { path: '^(infra|test|bench)/' },
      to: { path: '^services/' },
    },
    {
      name: 'runtime-knows-none-of-ours',
      severity: 'error',
      from: { path: '^libs/runtime/' },
      to: { path: '^libs/', pathNot: '^libs/runtime/' },
    },
    {
      name: 'protocol-on-zod-alone',
      comment: 'It also runs in a browser.',
      severity: 'error',
      from: { path: '^libs/protocol/src', pathNot: '[.]test[.]ts$' },
      to: { pathNot: ['^libs/protocol/src', '^node_modules/zod/'] },
    },
    {
      name: 'client-on-wire-alone',
      comment: 'It depends on nothing at run time, so that it stays small in a browser.',
      severity: 'error',
      from: { path: '^libs/client/src', pathNot: '[.]test[.]ts$' },
      to: { pathNot: ['^libs/client/src', '^libs/protocol/(src|dist)/(wire|codes|frames|names)[.]'] },
    },
    only('only-broker-to-amqplib', '^node_modules/(@types/)?amqplib/', '^libs/broker/'),
    only('only-edge-socket-to-uwebsockets', '^node_modules/uWebSockets[.]js/', '^services/edge/src/socket/'),
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    // A browser's imports are addresses, not files.
    exclude: { path: ['^services/demo/public/', '^test/browser/pages/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default', 'node'],
    },
  },
};
