// Who may import whom. The reasons are in CONTRIBUTING.md.
const test = '[.](test|bench)[.]ts$';

/** `what` may be imported from `where` alone. */
const only = (name, what, where) => ({
  name,
  severity: 'error',
  from: { pathNot: where },
  to: { path: what },
});

/** Files under `from` may import none of `to`. */
const never = (name, comment, from, to, except) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: test },
  to: except === undefined ? { path: to } : { path: to, pathNot: except },
});

/** Node's own modules that touch the world outside the process. */
const nodeIo =
  '^(node:)?(fs|net|http|https|http2|tls|dgram|dns|child_process|worker_threads|cluster|process)(/|$)';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Types count too: what knows each other is one thing.',
      severity: 'error',
      from: { pathNot: test },
      to: { circular: true },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    never('libs-stay-below', undefined, '^libs/', '^(packages|services|tools|bench|test)/'),
    {
      name: 'services-not-to-each-other',
      comment: 'They meet on AMQP.',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    never('services-not-to-tooling', undefined, '^services/', '^(tools|bench|test)/'),
    never(
      'tooling-not-to-services',
      'It starts them as processes, like anybody else. What is fuzzed is what they read with.',
      '^(tools|test|bench)/',
      '^services/',
      '^services/[^/]+/(src|dist)/readers[.]',
    ),
    never(
      'runtime-knows-none-of-ours',
      'A service takes it as it takes pino or zod; rates and waiting alone are shared with it.',
      '^libs/runtime/',
      '^(libs|packages)/',
      '^libs/(runtime|pace)/',
    ),
    {
      name: 'protocol-on-zod-alone',
      comment: 'It also runs in a browser.',
      severity: 'error',
      from: { path: '^libs/protocol/src', pathNot: test },
      to: { pathNot: ['^libs/protocol/src', '^node_modules/zod/'] },
    },
    {
      name: 'client-on-wire-alone',
      comment: 'It depends on nothing at run time, so that it stays small in a browser.',
      severity: 'error',
      from: { path: '^packages/client/src', pathNot: test },
      to: {
        pathNot: [
          '^packages/client/src',
          '^libs/protocol/(src|dist)/(wire|codes|frames|names)[.]',
          '^libs/pace/(src|dist)/',
        ],
      },
    },
    never('pure-libs', 'Decisions only: no Node I/O.', '^libs/(pace|cluster|access|ticket)/src', nodeIo),
    never('access-on-protocol', undefined, '^libs/access/', '^libs/', '^libs/(access|protocol)/'),
    never('broker-knows-no-mesh', undefined, '^libs/broker/', '^libs/', '^libs/(broker|pace)/'),
    never(
      'mesh-on-broker-and-protocol',
      undefined,
      '^libs/mesh/',
      '^libs/',
      '^libs/(mesh|broker|pace|protocol)/',
    ),
    {
      name: 'edge-session-by-ports',
      comment: 'What a session needs it declares in ports.ts; who serves it is joined in app.ts.',
      severity: 'error',
      from: { path: '^services/edge/src/session/', pathNot: test },
      to: {
        path: '^services/edge/src/',
        pathNot:
          '^services/edge/src/(session|frame|access|memory)/|^services/edge/src/transport/connection[.]ts$|^services/edge/src/config[.]ts$',
      },
    },
    never(
      'edge-lower-rooms',
      'What a session stands on does not know sessions.',
      '^services/edge/src/(transport|frame|queue|topic|inbound)/',
      '^services/edge/src/(session|move|control)/',
      '^services/edge/src/session/ports[.]ts$',
    ),
    never(
      'balancer-core-is-pure',
      'Plans, paces and views: no I/O.',
      '^services/balancer/src/core/',
      '^(libs|packages)/|^services/balancer/src/(?!core/)',
      '^libs/(protocol|cluster|pace)/',
    ),
    never(
      'console-by-the-operator-alone',
      'It acts through the management interface, as everybody else who operates.',
      '^services/console/',
      '^(libs|packages)/',
      '^(libs/(pace|protocol|runtime)|packages/operator)/',
    ),
    // Tests publish as programs do that are not ours.
    only('only-broker-to-amqplib', '^node_modules/(@types/)?amqplib/', '^(libs/broker|test)/'),
    only(
      'only-edge-transport-to-uwebsockets',
      '^node_modules/uWebSockets[.]js/',
      '^services/edge/src/transport/',
    ),
    {
      name: 'workspaces-by-name',
      comment: 'From one workspace to another by its package name, never by a path.',
      severity: 'error',
      from: { path: '^((?:libs|packages|services|tools)/[^/]+|bench|test)/' },
      to: {
        path: '^(libs|packages|services|tools|bench|test)/',
        pathNot: '^$1/',
        dependencyTypes: ['local'],
      },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    // A browser's imports are addresses, not files.
    // bench/sessions has dependencies of its own, which nobody but it installs.
    exclude: { path: ['^services/demo/public/', '^test/browser/pages/', '^bench/sessions/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default', 'node'],
    },
  },
};
