import type { z } from 'zod';
import { describeConfig } from './config.js';
import { fileVariableOf } from './secret-files.js';
import { readBy, type variablesOf } from './variables.js';

/** Of a service: the rows of its table in the documents, and the variables that it reads, sorted. */
export interface SettingsTold {
  readonly table: readonly string[];
  readonly variables: readonly string[];
}

/**
 * As its schema has them. Equal to {@link settingsTold}, unless the document or the list of variables that no service warns of is behind.
 * @param hostDependent variables whose default is made from the host's name.
 */
export function settingsDeclared(schema: z.ZodObject, hostDependent: readonly string[] = []): SettingsTold {
  const variables = describeConfig(schema).flatMap(({ variable, isSecret }) =>
    isSecret ? [variable, fileVariableOf(variable)] : [variable],
  );
  return { table: settingsTable(schema, hostDependent), variables: variables.sort() };
}

/** As the Markdown document lists them, and as every service knows them. */
export function settingsTold(document: string, service: keyof typeof variablesOf): SettingsTold {
  return { table: documentedSettings(document, service), variables: readBy(service).sort() };
}

/** The rows of a document's table of settings, as the schema has them: variable, default, values, meaning. */
function settingsTable(schema: z.ZodObject, hostDependent: readonly string[]): string[] {
  return describeConfig(schema).map(
    ({ variable, isRequired, isSecret, default: fallback, takes, description }) => {
      const value = isRequired
        ? 'required'
        : hostDependent.includes(variable)
          ? 'from the host name'
          : fallback;
      const meaning = isSecret
        ? `${description}; or \`${fileVariableOf(variable)}\`, a file with it`
        : description;
      return `| \`${variable}\` | ${value} | ${takes} | ${meaning} |`;
    },
  );
}

/** The rows that a Markdown document lists under its heading `Settings: <service>`. */
export function documentedSettings(document: string, service: string): string[] {
  const section = document.split(/^#+ Settings: /m).find((part) => part.startsWith(`${service}\n`)) ?? '';
  const table = section.split(/^#/m)[0] ?? '';
  return table.split('\n').filter((line) => line.startsWith('| `EVENKEEL_'));
}
