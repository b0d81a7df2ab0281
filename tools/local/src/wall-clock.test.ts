import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './paths.js';

/** Who reads the host's clock, and what for. All else that has to do with time lasts, and is measured by `monotonicNow`. */
const readers: Record<string, string> = {
  'libs/pace/src/clock.ts': 'names it',
  'libs/pace/src/index.ts': 'hands it on',
  'libs/runtime/src/tls/of-service.ts': 'how long a certificate is still good',
  'packages/client/src/time.ts': 'at most how long ago: the other clock may stand still in sleep',
  'packages/operator/src/cli/denying.ts': 'until when somebody is kept out, as people say it',
  'packages/operator/src/cli/program.ts': 'shown to people',
  'packages/operator/src/cli/status.ts': 'since when a balancer leads, as it says it',
  'packages/operator/src/cli/top.ts': 'shown to people',
  'packages/operator/src/cli/user-commands.ts': 'since when a session is, as its edge says it',
  'packages/operator/src/cli/words.ts': 'how old words for completion are, over several runs',
  'packages/operator/src/manage-calls.ts': 'timestamp of a message',
  'packages/operator/src/send.ts': 'timestamp of a message',
  'packages/publisher/src/asks.ts': 'when a question was asked, for the balancer',
  'packages/publisher/src/publishing.ts': 'timestamp of a message',
  'services/balancer/src/app.ts': 'maintenance windows are times of day; how far clocks are apart',
  'services/balancer/src/asking/asking.ts': 'until when a question is worth asking, for edges',
  'services/balancer/src/manage/chronicle.ts': '`at` of what has happened',
  'services/balancer/src/manage/event-log.ts': '`at` of what has happened',
  'services/balancer/src/manage/server.ts': '`at` of an audit entry',
  'services/console/src/app.ts': '`at` of a view',
  'services/api/src/app.ts': 'ages of messages in histories',
  'services/api/src/look/build.ts': 'ages of messages in histories',
  'services/api/src/webhooks/webhooks.ts': 'time of a signature',
  'services/edge/src/access/hook.ts': 'time of a signature',
  'services/edge/src/asking/asking.ts': 'until when a question is worth asking, as a balancer says it',
  'services/edge/src/app.ts': '`at` of events, messages, publishes and statistics',
  'services/edge/src/life/past.ts': '`at` of what has happened to sessions',
  'services/edge/src/session/ack-times.ts': 'from publishing, elsewhere, to the acknowledgement',
  'services/edge/src/session/outbox.ts': '`at` of an event whose publisher did not say',
  'services/edge/src/topic/presence/build.ts': 'since when a user is online',
  'services/edge/src/topic/presence/members.ts': 'since when a user is in a topic',
  'services/edge/src/topic/presence/online.ts': 'since when a user is online',
  'services/edge/src/topic/presence/presence.ts': 'hands it on',
  'services/edge/src/stats/reporter.ts': '`at` of statistics',
  'services/edge/src/trace/spans.ts': 'times of spans',
  'services/gateway/src/access/pass-issuer.ts': 'how long JWTs have left',
  'services/gateway/src/app.ts': 'JWTs, and for how many days a resume is good',
  'services/gateway/src/auth/authentication.ts': 'times of what an application says',
  'services/gateway/src/auth/hook.ts': 'times of what an application says',
  'services/gateway/src/auth/jwt.ts': 'times of JWTs',
  'services/gateway/src/cell/cell.ts': 'how far clocks are apart, denials',
};

const folders = ['libs', 'packages', 'services'].flatMap((kind) =>
  readdirSync(join(root, kind))
    // They drive the others, and measure nothing for them.
    .filter((name) => !['testkit', 'conformance'].includes(name))
    .map((name) => join(kind, name, 'src'))
    // What is written in another language has none.
    .filter((folder) => existsSync(join(root, folder))),
);

it('the host’s clock is read only where people or other systems read what it says', () => {
  const found = folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(folder, name),
      ),
    )
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('/testing/'))
    .filter((path) => /\bDate\.now\b|new Date\(\)|\bwallNow\b/.test(readFileSync(join(root, path), 'utf8')));
  expect(found.filter((path) => !(path in readers))).toEqual([]);
});
