import { queues } from '@evenkeel/protocol';
import { fetchWithin } from '@evenkeel/runtime';
import { z } from 'zod';
import type { BrokerView, RabbitmqView } from '../api.js';

/** One answer serves all who ask within this time. RabbitMQ itself counts anew every 5 s. */
const freshMs = 5_000;
const timeoutMs = 3_000;
/** Longest answer that is read. */
const maxBytes = 1_048_576;

/** What waits in them tells how commands and dropped messages get on. */
const meshQueues = [queues.manage, `${queues.manage}.dead`, queues.dropped];

const amount = z.number().catch(0);
const rate = z.looseObject({ rate: amount }).catch({ rate: 0 });
const overview = z.looseObject({
  rabbitmq_version: z.string(),
  cluster_name: z.string().catch(''),
  object_totals: z.looseObject({ connections: amount, channels: amount, queues: amount, consumers: amount }),
  queue_totals: z
    .looseObject({ messages_ready: amount, messages_unacknowledged: amount })
    .catch({ messages_ready: 0, messages_unacknowledged: 0 }),
  message_stats: z
    .looseObject({ publish_details: rate, deliver_get_details: rate })
    .catch({ publish_details: { rate: 0 }, deliver_get_details: { rate: 0 } }),
});
const nodes = z.array(
  z.looseObject({
    name: z.string(),
    running: z.boolean().catch(false),
    mem_used: amount,
    mem_limit: amount,
    mem_alarm: z.boolean().catch(false),
    disk_free: amount,
    disk_free_limit: amount,
    disk_free_alarm: z.boolean().catch(false),
    fd_used: amount,
    fd_total: amount,
    uptime: amount,
  }),
);

const connections = z.array(z.looseObject({ user: z.string().catch(''), state: z.string().catch('') }));
const queue = z.looseObject({ name: z.string(), messages: amount, consumers: amount });

/** What RabbitMQ's management API says of the broker. */
export class ManagementApi {
  readonly #base: URL;
  readonly #vhost: string;
  readonly #authorization: string;
  readonly #now: () => number;
  #last: Promise<BrokerView['rabbitmq']> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param url with user and password: `http://monitor:password@rabbitmq:15672`.
   * @param vhost of the mesh.
   */
  constructor(url: string, vhost: string, now: () => number) {
    this.#vhost = vhost;
    this.#base = new URL(url);
    const { username, password } = this.#base;
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.#authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    this.#now = now;
  }

  /** How it is; never rejects. */
  view(): Promise<BrokerView['rabbitmq']> {
    if (this.#last === undefined || this.#now() - this.#askedAtMs >= freshMs) {
      this.#askedAtMs = this.#now();
      this.#last = this.#ask().catch((error: unknown) => ({
        error: `${this.#base.origin}: ${error instanceof Error ? error.message : error}`,
      }));
    }
    return this.#last;
  }

  async #ask(): Promise<RabbitmqView> {
    const [about, members, open, ...waiting] = await Promise.all([
      this.#get('/api/overview', overview),
      this.#get('/api/nodes', nodes),
      this.#get('/api/connections?columns=user,state', connections),
      ...meshQueues.map((name) => this.#queue(name)),
    ]);
    const { object_totals: objects, queue_totals: messages, message_stats: stats } = about;
    return {
      version: about.rabbitmq_version,
      cluster: about.cluster_name,
      totals: {
        connections: objects.connections,
        channels: objects.channels,
        queues: objects.queues,
        consumers: objects.consumers,
        messagesReady: messages.messages_ready,
        messagesUnacknowledged: messages.messages_unacknowledged,
        publishedPerSecond: stats.publish_details.rate,
        deliveredPerSecond: stats.deliver_get_details.rate,
      },
      connections: byUser(open),
      queues: waiting.flat(),
      nodes: members.map((each) => ({
        name: each.name,
        isRunning: each.running,
        memoryUsedBytes: each.mem_used,
        memoryLimitBytes: each.mem_limit,
        hasMemoryAlarm: each.mem_alarm,
        diskFreeBytes: each.disk_free,
        diskFreeLimitBytes: each.disk_free_limit,
        hasDiskAlarm: each.disk_free_alarm,
        openFiles: each.fd_used,
        openFilesLimit: each.fd_total,
        uptimeMs: each.uptime,
      })),
    };
  }

  /** Empty where there is none, or it may not be seen. */
  async #queue(name: string): Promise<RabbitmqView['queues']> {
    const path = `/api/queues/${encodeURIComponent(this.#vhost)}/${encodeURIComponent(name)}`;
    try {
      const { messages, consumers } = await this.#get(path, queue);
      return [{ name, messages, consumers }];
    } catch {
      return [];
    }
  }

  /** @throws Error that says what to do */
  async #get<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
    const url = `${this.#base.origin}${this.#base.pathname.replace(/\/+$/, '')}${path}`;
    const init = { headers: { authorization: this.#authorization }, redirect: 'error' } as const;
    const { response, body } = await fetchWithin(url, init, { timeoutMs, maxBytes }).catch(
      (error: unknown) => {
        const isLate = error instanceof Error && error.name === 'TimeoutError';
        throw new Error(isLate ? `no answer within ${timeoutMs / 1_000} s` : 'it does not answer');
      },
    );
    if (body === undefined) throw new Error(`its answer is longer than ${maxBytes} bytes`);
    if (response.status === 401)
      throw new Error('it refuses the user of EVENKEEL_RABBITMQ_API_URL; give it the tag monitoring');
    if (!response.ok) throw new Error(`it answers ${response.status} to ${path}`);
    const read = schema.safeParse(jsonOf(String(body)));
    if (!read.success) throw new Error(`what it says at ${path} is not that of RabbitMQ`);
    return read.data;
  }
}

function byUser(open: z.output<typeof connections>): RabbitmqView['connections'] {
  const users = new Map<string, { user: string; count: number; blocked: number }>();
  for (const { user, state } of open) {
    const entry = users.get(user) ?? { user, count: 0, blocked: 0 };
    entry.count += 1;
    // `blocking` has not published since the alarm.
    if (state === 'blocked' || state === 'blocking') entry.blocked += 1;
    users.set(user, entry);
  }
  return [...users.values()].sort((a, b) => a.user.localeCompare(b.user));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
