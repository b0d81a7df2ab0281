// A folder is a room: the way between two rooms leads one way. Tests may look into any room, so they are left out.
const { options } = require('./.dependency-cruiser.cjs');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-folder-cycles', scope: 'folder', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    ...options,
    exclude: { path: [...options.exclude.path, '[.]test[.]ts$', '^services/[^/]+/testing/'] },
  },
};
