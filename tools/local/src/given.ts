import { unknownVariables, variablesOf } from '@evenkeel/runtime';

type Variables = Readonly<Record<string, string>>;

/** What says which process is which, or where it is: in the shell it would be the same for all. */
const ofOneProcess = new Set([
  'EVENKEEL_NODE',
  'EVENKEEL_CELLS',
  'EVENKEEL_CELLS_FILE',
  'EVENKEEL_ID',
  'EVENKEEL_HOST',
  'EVENKEEL_PORT',
  'EVENKEEL_AGENT_PORT',
  'EVENKEEL_OPS_HOST',
  'EVENKEEL_OPS_PORT',
  'EVENKEEL_GATEWAY',
  'EVENKEEL_LOCAL_URL',
  'EVENKEEL_LOCAL_TOKEN',
  'EVENKEEL_CROWD_CLIENTS',
  'EVENKEEL_CONSOLE_OPEN',
  'EVENKEEL_CONSOLE_URL',
  'EVENKEEL_LOG_FORMAT',
]);

const tools: ReadonlySet<string> = new Set(variablesOf.tools);

/** What `npm start` makes of the variables of Evenkeel in the shell. */
export interface Given {
  /** For the services; {@link forRole} says which for which. */
  readonly settings: Variables;
  /** What the person is told of the others. */
  readonly warnings: readonly string[];
}

/** Parts what is meant for the services from what is not. The broker's address is the caller's affair. */
export function sortGiven(variables: Variables): Given {
  const unknown = unknownVariables(variables);
  const own = Object.keys(variables).filter((name) => ofOneProcess.has(name));
  const isSetting = (name: string): boolean =>
    name !== 'EVENKEEL_AMQP_URL' &&
    !tools.has(name) &&
    !ofOneProcess.has(name) &&
    !unknown.some(({ variable }) => variable === name);
  return {
    settings: Object.fromEntries(Object.entries(variables).filter(([name]) => isSetting(name))),
    warnings: [
      ...(own.length === 0 ? [] : [`Not taken from the shell, npm start sets it itself: ${own.join(', ')}.`]),
      ...unknown.map(({ variable, didYouMean }) => {
        const guess = didYouMean === undefined ? '' : ` Did you mean ${didYouMean}?`;
        return `No service knows ${variable}, it is ignored.${guess}`;
      }),
    ],
  };
}

/** Of these variables those that a service of this role reads. */
export function forRole(role: Exclude<keyof typeof variablesOf, 'tools'>, variables: Variables): Variables {
  const own: ReadonlySet<string> = new Set(variablesOf[role]);
  return Object.fromEntries(Object.entries(variables).filter(([name]) => own.has(name)));
}
