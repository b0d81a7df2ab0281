import type { IncomingMessage, ServerResponse } from 'node:http';
import { manageCommand, manageErrors, manageKind } from '@evenkeel/protocol';
import { Refusal, type Route, sendJson } from '@evenkeel/runtime';
import type { CommandOptions, ManageCommand } from 'evenkeel';
import { z } from 'zod';
import { type Access, requireRole } from '../access/access.js';
import { jsonOf } from '../access/body.js';
import { requireScript } from '../access/guard.js';
import type { BrokerView, Me, MeshView, View } from '../api.js';
import { refusalOf } from '../mesh/answers.js';

export interface MeshRoutesOptions {
  readonly access: Access;
  readonly view: () => Promise<MeshView>;
  readonly broker: () => Promise<BrokerView>;
  /** @throws OperatorError */
  readonly execute: (command: ManageCommand, options: CommandOptions) => Promise<unknown>;
  readonly onCommand: (command: ManageCommand['command'], outcome: 'done' | 'failed') => void;
}

/** What the page looks at, by path: the command that it is. `part`: what follows the path. */
const looks: Readonly<Record<string, (part: string | undefined, query: URLSearchParams) => object>> = {
  node: (node) => ({ command: 'node', node }),
  session: (session) => ({ command: 'session', session }),
  user: (user) => ({ command: 'where', user }),
  history: (_part, query) => ({ command: 'history', ...numbered(query, 'limit'), ...given(query, 'before') }),
  events: (_part, query) => ({ command: 'events', ...given(query, 'after'), ...numbered(query, 'limit') }),
  settings: () => ({ command: 'settings' }),
  denials: () => ({ command: 'denials' }),
};

const identity = z.object({ id: z.string().min(1).max(128).optional() });

/** Everything about the mesh: asked of the management interface, in the name of who asks here. */
export class MeshRoutes implements Route {
  readonly isShared = false;
  readonly #options: MeshRoutesOptions;

  constructor(options: MeshRoutesOptions) {
    this.#options = options;
  }

  has(path: string): boolean {
    const { name } = parted(path);
    return name !== undefined && (['view', 'broker', 'command'].includes(name) || Object.hasOwn(looks, name));
  }

  methods(path: string): readonly string[] {
    return path === '/api/command' ? ['POST'] : ['GET'];
  }

  /** @throws Refusal */
  async answer(request: IncomingMessage, response: ServerResponse, url: URL, address: string): Promise<void> {
    const { access, view, broker } = this.#options;
    access.way(request);
    const me = access.who(request, address);
    const { name = '', part } = parted(url.pathname);
    if (name === 'view') return sendJson(response, 200, { me, ...(await view()) } satisfies View);
    if (name === 'broker') return sendJson(response, 200, await broker());
    if (name !== 'command') {
      const answer = await this.#execute(looks[name]?.(part, url.searchParams), me, {});
      return sendJson(response, 200, answer);
    }
    requireScript(request);
    const body = await jsonOf(request);
    const { id } = parsed(identity, body);
    const { id: _id, onBehalfOf: _other, ...command } = body as Record<string, unknown>;
    sendJson(response, 200, await this.#execute(command, me, id === undefined ? {} : { id }));
  }

  /** Carries it out in the name of `me`. @throws Refusal */
  async #execute(given: unknown, me: Me, options: CommandOptions): Promise<unknown> {
    const { execute, onCommand } = this.#options;
    const command = parsed(manageCommand, given);
    requireRole(me, manageKind(command.command));
    try {
      const answer = await execute(command, { ...options, onBehalfOf: me.name });
      onCommand(command.command, 'done');
      return answer;
    } catch (error) {
      onCommand(command.command, 'failed');
      throw refusalOf(error);
    }
  }
}

/** @throws Refusal `bad-command` */
function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const message = result.error.issues
    .slice(0, 3)
    .map(({ path, message }) => [...(path.length === 0 ? [] : [path.join('.')]), message].join(': '))
    .join('; ');
  throw new Refusal(400, manageErrors.badCommand, `${message}; docs/manage.md has the commands`);
}

/** `/api/node/edge-1`: `node` and `edge-1`. A part that cannot be decoded is none. */
function parted(path: string): { name?: string; part?: string } {
  const [, name, part] = /^\/api\/([a-z]+)(?:\/([^/]+))?$/.exec(path) ?? [];
  if (name === undefined) return {};
  if (part === undefined) return { name };
  try {
    return { name, part: decodeURIComponent(part) };
  } catch {
    return {};
  }
}

const given = (query: URLSearchParams, name: string): object =>
  query.has(name) ? { [name]: query.get(name) } : {};
const numbered = (query: URLSearchParams, name: string): object =>
  query.has(name) ? { [name]: Number(query.get(name)) } : {};
