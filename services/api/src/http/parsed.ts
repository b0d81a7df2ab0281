import { Refusal } from '@evenkeel/runtime';
import type { z } from 'zod';

/** At most so many mistakes are told at once. */
const maxTold = 3;

/** `value` as the schema has it. @throws Refusal `bad-request` */
export function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const said = result.error.issues
    .slice(0, maxTold)
    .map(({ path, message }) => [...(path.length === 0 ? [] : [path.join('.')]), message].join(': '))
    .join('; ');
  throw new Refusal(400, 'bad-request', said);
}
