import { Option } from 'commander';
import { OperatorError } from '../errors.js';
import { closeRate } from './arguments.js';
import { sessionText } from './details.js';
import { Incomplete, isIncomplete, showDone } from './incomplete.js';
import type { CommonOptions } from './options.js';
import type { CommandPorts } from './ports.js';
import { counted } from './table.js';
import { sessionsText } from './views.js';

interface SendBackOptions extends CommonOptions {
  readonly session?: boolean;
  readonly everybody?: boolean;
  readonly rate?: number;
}

/** Adds `where`, `session`, `disconnect` and `send-back`. */
export function addUserCommands(ports: CommandPorts): void {
  const { command, show, withOperator, paint } = ports;
  command('where', 'the sessions of a user: their nodes, and how far behind they are')
    .argument('<user>')
    .option(
      '--nodes',
      'the nodes alone, one a line, for drain; exit status 1 without a session, or if an edge is silent',
    )
    .action((user: string, options: CommonOptions & { nodes?: boolean }) =>
      withOperator(options, async (operator) => {
        const answer = await operator.where(user);
        const found = [...new Set((answer.sessions ?? []).map(({ node }) => node))];
        // Half of them would be drained as if they were all.
        if (options.nodes === true && isIncomplete(answer))
          throw new Incomplete(answer, `, where ${user} may be too: ask again`);
        if (options.nodes === true && found.length === 0)
          throw new OperatorError('no-session', `${user} is not connected, so it is on no node`);
        show(options, answer, () =>
          options.nodes === true ? found.join('\n') : sessionsText(user, answer, Date.now(), paint),
        );
      }),
    );

  command('session', 'one session: where it is, what waits for it, its moves, what has happened to it')
    .argument('<session>', '<sid> or <uid>.<sid>, as where, node and the logs have it')
    .action((session: string, options: CommonOptions) =>
      withOperator(options, async (operator) => {
        const answer = await operator.session(session);
        show(options, answer, () => sessionText(answer, Date.now(), paint));
      }),
    );

  command(
    'disconnect',
    'close every connection of a user and end its sessions; its clients do not reconnect on their own',
  )
    .argument('<user|session>')
    .addOption(new Option('--session', 'only this session, <sid> or <uid>.<sid>'))
    .action((name: string, options: CommonOptions & { session?: boolean }) =>
      withOperator(options, async (operator) => {
        const answer = await operator.disconnect(options.session === true ? { session: name } : name);
        const count = answer.sessions?.length ?? 0;
        if (count === 0 && !isIncomplete(answer))
          throw new OperatorError('no-session', `${name} is not connected; nobody was disconnected`);
        const text = () => `${name}: ${counted(count, 'session')} disconnected`;
        showDone(ports, options, answer, { text, again: `disconnect ${name} again` });
      }),
    );

  command(
    'send-back',
    "end a user's sessions in this cell, or everybody's; the clients come back through the gateway",
  )
    .argument('[user|session]')
    .addOption(new Option('--session', 'only this session, <sid> or <uid>.<sid>'))
    .option('--everybody', 'all of this cell: docs/scale.md')
    .addOption(
      new Option('--rate <n>', 'how many of everybody a second, on each edge (default: 100)').argParser(
        closeRate,
      ),
    )
    .action((name: string | undefined, options: SendBackOptions) =>
      withOperator(options, async (operator) => {
        if ((name === undefined) !== (options.everybody === true))
          throw new OperatorError('usage', 'name a user or a session, or give --everybody');
        const answer = await operator.sendBack(
          name === undefined
            ? { everybody: true, ...(options.rate !== undefined && { ratePerSecond: options.rate }) }
            : options.session === true
              ? { session: name }
              : { user: name },
        );
        const count = answer.sessions?.length ?? 0;
        if (name !== undefined && count === 0 && !isIncomplete(answer))
          throw new OperatorError('no-session', `${name} is not connected; nobody was sent back`);
        const text = () =>
          name === undefined
            ? `everybody is sent back by ${counted(answer.answered ?? 0, 'edge')}; status says who is left`
            : `${name}: ${counted(count, 'session')} sent back`;
        showDone(ports, options, answer, { text, again: 'send-back again' });
      }),
    );
}
