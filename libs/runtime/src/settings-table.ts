import type { z } from 'zod';
import { describeConfig } from './config.js';
import { fileVariableOf } from './secret-files.js';

/**
 * The rows of a document's table of settings, as the schema has them: variable, default, values, meaning.
 * @param hostDependent variables whose default is made from the host's name.
 */
export function settingsTable(schema: z.ZodObject, hostDependent: readonly string[] = []): string[] {
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
