import { hookUrlForm, isHookUrl } from '@evenkeel/access';
import { areBrokerAddresses } from '@evenkeel/pace';
import { isNodeName } from '@evenkeel/protocol';
import { z } from 'zod';

/** What an application may be told by webhook. */
const hookKinds = ['opened', 'ended', 'publish', 'request'] as const;
export type HookKind = (typeof hookKinds)[number];

/** Most applications with webhooks. */
const maxHooks = 20;

const hook = z.strictObject({
  /** The application: it is told of what clients send to `name` and `name.…`. */
  name: z.string().refine(isNodeName, 'give 1 to 64 of A-Z a-z 0-9 _ -'),
  url: z.string().refine(isHookUrl, hookUrlForm),
  secret: z.string().min(16, 'give at least 16 characters'),
  on: z.array(z.enum(hookKinds)).min(1),
  /** RabbitMQ as the application's own user, `app-<name>`. Default: as the API itself. */
  amqpUrl: z.string().refine(areBrokerAddresses, 'give an amqp:// or amqps:// URL').optional(),
});
export type Webhook = z.output<typeof hook>;

const webhooksSchema = z
  .strictObject({ webhooks: z.array(hook).min(1).max(maxHooks) })
  .superRefine(({ webhooks }, context) => {
    const names = webhooks.map(({ name }) => name);
    if (new Set(names).size === names.length) return;
    context.addIssue({ code: 'custom', path: ['webhooks'], message: 'two have the same name' });
  });

/** The webhooks that the text of `EVENKEEL_WEBHOOKS` has; a text: why it has none, without quoting it. */
export function readWebhooks(text: string): readonly Webhook[] | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  const { success, data, error } = webhooksSchema.safeParse(value);
  if (success) return data.webhooks;
  const [issue] = error.issues;
  return [issue?.path.join('.'), issue?.message]
    .filter((part) => part !== undefined && part !== '')
    .join(': ');
}
