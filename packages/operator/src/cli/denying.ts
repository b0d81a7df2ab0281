import { longestDenialMs } from '@evenkeel/protocol';
import { InvalidArgumentError, Option } from 'commander';
import { showDone } from './incomplete.js';
import type { CommonOptions } from './options.js';
import type { CommandPorts } from './ports.js';

interface SubjectOptions extends CommonOptions {
  user?: boolean;
  session?: boolean;
}

interface DenyOptions extends SubjectOptions {
  until?: number;
  reason?: string;
}

/** Adds `deny`, `allow`, `denials` and `forget`. */
export function addDenyingCommands(ports: CommandPorts): void {
  const { command, show, withOperator } = ports;
  const ofSubject = (usage: string, description: string) =>
    command(usage, description)
      .argument('<user|session>', 'a user id; 22 characters of A-Z a-z 0-9 _ - are taken for both')
      .addOption(new Option('--user', 'it is a user').conflicts('session'))
      .addOption(new Option('--session', 'it is a session, <id> or <uid>.<id>'));

  ofSubject('deny', 'keep a user or a session out of the whole mesh, and close what is open')
    .option(
      '--until <when>',
      'a date and time (ISO 8601), or how long: 90s, 30m, 12h, 7d (default: 30d)',
      until,
    )
    .option('--reason <text>', 'for the record')
    .action((name: string, options: DenyOptions) =>
      withOperator(options, async (operator) => {
        const { until: untilMs, reason } = options;
        const rest = {
          ...(untilMs === undefined ? {} : { untilMs }),
          ...(reason === undefined ? {} : { reason }),
        };
        const answers = await each(name, options, (subject) => operator.deny({ ...subject, ...rest }));
        const ends = new Date(answers[0]?.untilMs ?? Date.now() + longestDenialMs).toISOString();
        show(options, Object.assign({}, ...answers), () =>
          answers.map((answer) => `denied until ${ends}: ${nameIn(answer)}`).join('\n'),
        );
      }),
    );

  ofSubject('allow', 'let a user or a session in again').action((name: string, options: SubjectOptions) =>
    withOperator(options, async (operator) => {
      const answers = await each(name, options, (subject) => operator.allow(subject));
      const wasDenied = answers.some((answer) => answer.wasDenied === true);
      show(options, { ...Object.assign({}, ...answers), wasDenied }, () =>
        wasDenied ? `${name} is let in again` : `${name} was not denied`,
      );
    }),
  );

  command('denials', 'the users and sessions that are kept out').action((options: CommonOptions) =>
    withOperator(options, async (operator) => {
      const answer = await operator.denials();
      show(options, answer, () => {
        const lines = answer.denials.map(
          (denied) => `${nameIn(denied)}, until ${new Date(denied.untilMs).toISOString()}`,
        );
        const more = answer.total - lines.length;
        if (more > 0) lines.push(`and ${more} more`);
        return lines.join('\n') || 'Nobody is kept out.';
      });
    }),
  );

  command('forget', "end a user's sessions and denials, and say what else there may be of the user")
    .argument('<user>')
    .action((user: string, options: CommonOptions) =>
      withOperator(options, async (operator) => {
        const answer = await operator.forget(user);
        const left = answer.left ?? [];
        const text = () =>
          [
            `${user}: sessions ended, ${answer.sessions?.length ?? 0} with a socket; denials ended, ${answer.denials ?? 0}`,
            ...(left.length > 0 ? ['Not removed:'] : []),
            ...left.map((line) => `- ${line}`),
          ].join('\n');
        showDone(ports, options, answer, { text, again: `forget ${user} again` });
      }),
    );
}

/** As the gateway makes session ids. A user may have such an id too: then nobody is to slip through. */
const sessionForm = /^(?:[A-Za-z0-9_~-]+\.)?[A-Za-z0-9_-]{22}$/;

async function each<A>(
  name: string,
  { user = false, session = false }: SubjectOptions,
  call: (subject: { user: string } | { session: string }) => Promise<A>,
): Promise<A[]> {
  const answers: A[] = [];
  if (!session) answers.push(await call({ user: name }));
  if (session || (!user && sessionForm.test(name))) answers.push(await call({ session: name }));
  return answers;
}

const nameIn = ({ user, session }: { user?: string | undefined; session?: string | undefined }): string =>
  user === undefined ? `session ${session ?? ''}` : `user ${user}`;

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time that is given as such, or as a distance from now; ms since the epoch. */
export function until(text: string, _before?: unknown, nowMs = Date.now()): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const untilMs = amount === undefined ? Date.parse(text) : nowMs + Number(amount) * (unitsMs[unit] ?? 0);
  if (!Number.isFinite(untilMs))
    throw new InvalidArgumentError(
      'Give a date and time such as 2026-12-24T18:00:00Z, or 90s, 30m, 12h, 7d.',
    );
  if (untilMs <= nowMs) throw new InvalidArgumentError('That is past.');
  if (untilMs > nowMs + longestDenialMs)
    throw new InvalidArgumentError('That is more than 30 days ahead; deny again before it ends.');
  return Math.round(untilMs);
}
