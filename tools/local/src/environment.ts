import { fileVariableOf, secretText, secretVariables } from '@evenkeel/runtime';
import { Failure } from './failure.js';

const ours = 'EVENKEEL_';

/** The environment that children inherit. The one place of the local tooling that reads it. */
export function environment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
}

/** What a service inherits: a variable of Evenkeel in the shell is for whom its starter says, not for everyone. */
export function inherited(): Record<string, string> {
  return Object.fromEntries(Object.entries(environment()).filter(([name]) => !name.startsWith(ours)));
}

/**
 * The variables of Evenkeel in the shell; an empty one counts as unset, as it does for the services. A secret that is in a
 * file is in its own variable.
 */
export function givenVariables(): Record<string, string> {
  const given = Object.fromEntries(
    Object.entries(environment()).filter(([name, value]) => name.startsWith(ours) && value !== ''),
  );
  for (const variable of secretVariables) {
    const { [fileVariableOf(variable)]: file } = given;
    if (file === undefined) continue;
    const { text, fault } = secretText(variable, given);
    if (text === undefined)
      throw new Failure('bad-setting', `${fileVariableOf(variable)} is ${file}; ${fault}`);
    given[variable] = text;
    delete given[fileVariableOf(variable)];
  }
  return given;
}
