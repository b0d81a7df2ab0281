/**
 * What the page and its server say to each other. Shared by both: types, and the few values that both need.
 *
 * What is answered with the balancer's answer as it is (docs/manage.md) is typed by `evenkeel`: `GET /api/node/:node` (`node`),
 * `/api/session/:session` (`session`), `/api/user/:user` (`where`), `/api/history?limit=&before=` (`history`),
 * `/api/events?after=&limit=` (`events`), `/api/settings` (`settings`), `/api/denials` (`denials`), and `POST /api/command`, whose body is
 * any `ManageCommand`, with `id` to have a repeat answered again and not carried out again.
 */
import type { StatusAnswer } from 'evenkeel';

/** With each POST: a page of another origin cannot send it without asking first, and is not let. Its value does not matter. */
export const guardHeader = 'x-evenkeel-console';

/** How often the stream sends a view, ms. */
export const viewEveryMs = 1_000;

/**
 * How long the page waits for an answer, ms: a browser that has no connection left to its host waits without end, and the console itself
 * waits 5 s for a balancer.
 */
export const answerWaitMs = 15_000;

/** `view`: looks. `operate`: also commands. */
export type Role = 'view' | 'operate';

/** Who is logged in: the answer of `GET /api/me` and of `POST /api/login`. */
export interface Me {
  readonly name: string;
  readonly role: Role;
  /** Development: whoever is on this machine operates without a login. There is nothing to log out of. */
  readonly isOpen: boolean;
}

/** Body of `POST /api/login`. `POST /api/logout` has an empty object. Both need {@link guardHeader}. */
export interface LoginRequest {
  readonly token: string;
}

/**
 * Body of every answer that is not 2xx. Codes of the console: `not-logged-in` (401: show the login), `bad-token` (401), `rate-limited`
 * (429, with `Retry-After`), `forbidden` (403: the role does not allow it), `insecure` (403), `csrf` (403), `host` (403),
 * `bad-command` (400), `unreachable` (503: RabbitMQ), `no-balancer`, `timeout` (503: no balancer has answered; the command may or may
 * not have been carried out). Every other is the balancer's (docs/manage.md), with 404 for `unknown-…`, else 409.
 */
interface ApiError {
  readonly error: { readonly code: string; readonly message: string };
}

/**
 * `GET /api/view`, and each message of `GET /api/stream` (server-sent events without a name, one every {@link viewEveryMs}; a stream
 * ends when the login does).
 */
export interface View extends MeshView {
  readonly me: Me;
}

/** The part of a view that is the same for all. */
export interface MeshView {
  /** When it was sent, ms since the epoch by the console's clock. */
  readonly at: number;
  /** The balancer's answer. Absent: nothing newer than what was sent before, or no answer since the console has started. */
  readonly status?: StatusAnswer;
  /** With a status: how old it was when this was sent, ms. */
  readonly ageMs?: number;
  /** Whether the console is connected to RabbitMQ; `why`: what is wrong with it. */
  readonly broker: { readonly isConnected: boolean; readonly why?: string };
  /** Why the last question was not answered. Absent: it was. */
  readonly error?: ApiError['error'];
}

/** `GET /api/broker`. */
export interface BrokerView {
  /** The console's own connection. */
  readonly isConnected: boolean;
  readonly why?: string;
  /** What RabbitMQ's management API says, where `EVENKEEL_RABBITMQ_API_URL` is set. */
  readonly rabbitmq: RabbitmqView | { readonly error: string } | null;
}

/** Of RabbitMQ's management API, what tells how it is. */
export interface RabbitmqView {
  readonly version: string;
  readonly cluster: string;
  readonly totals: {
    readonly connections: number;
    readonly channels: number;
    readonly queues: number;
    readonly consumers: number;
    readonly messagesReady: number;
    readonly messagesUnacknowledged: number;
    readonly publishedPerSecond: number;
    readonly deliveredPerSecond: number;
  };
  /** Open connections by the user that they log in as; `blocked`: of them those that RabbitMQ takes nothing from at present. */
  readonly connections: readonly {
    readonly user: string;
    readonly count: number;
    readonly blocked: number;
  }[];
  /** The mesh's own queues; empty where the user of the API may not see its virtual host. */
  readonly queues: readonly {
    readonly name: string;
    readonly messages: number;
    readonly consumers: number;
  }[];
  readonly nodes: readonly {
    readonly name: string;
    readonly isRunning: boolean;
    readonly memoryUsedBytes: number;
    readonly memoryLimitBytes: number;
    readonly hasMemoryAlarm: boolean;
    readonly diskFreeBytes: number;
    readonly diskFreeLimitBytes: number;
    readonly hasDiskAlarm: boolean;
    readonly openFiles: number;
    readonly openFilesLimit: number;
    readonly uptimeMs: number;
  }[];
}
