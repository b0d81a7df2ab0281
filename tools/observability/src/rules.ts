import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { rulesFiles } from './files.js';

/** A rule of Prometheus: one that records, or one that alerts. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Groups {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

/** Every rule, in the order in which they are evaluated. */
export function rules(): Rule[] {
  return rulesFiles().flatMap((file) =>
    groupsOf(readFileSync(file, 'utf8')).groups.flatMap((group) => group.rules),
  );
}

/** Those that alert. */
export function alerts(): (Rule & { readonly alert: string })[] {
  return rules().flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }]));
}

const groupsOf = (text: string): Groups => parse(text) as Groups;

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A file of rules for a day that goes by faster: every window and every `for`, divided by `factor`. What is compared with
 * what stays.
 */
export function hastened(text: string, factor: number): string {
  const shorter = (_: string, before: string, count: string, unit: string, after: string): string =>
    `${before}${Math.max(1, Math.round((Number(count) * (unitsMs[unit] ?? 0)) / factor))}ms${after}`;
  return text
    .replaceAll(/(\[)(\d+)([smhd])(\])/g, shorter)
    .replaceAll(/^(\s*for: )(\d+)([smhd])($)/gm, shorter);
}

/** The metrics that an expression reads, without the suffixes of a histogram's series; recorded ones as they are. */
export function metricsOf(expr: string): string[] {
  const bare = expr.replaceAll(/"[^"]*"/g, '""');
  const names = bare.match(
    /\b(?:mesh|node):[\w:]+|\b(?:evenkeel|process|nodejs|rabbitmq)_\w+|\bup\b|\bALERTS\b/g,
  );
  return [...new Set(names ?? [])].map((name) =>
    name.includes(':') ? name : name.replace(/_(?:bucket|sum|count)$/, ''),
  );
}
