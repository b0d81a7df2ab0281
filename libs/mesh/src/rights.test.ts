import { meshTopology } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import {
  fixedUsers,
  passwordHash,
  type Rights,
  rightsOf,
  UnknownUserError,
  userDefinitions,
  vhostDefinitions,
} from './rights.js';

const may = (user: string, verb: 'configure' | 'write' | 'read', name: string): boolean =>
  new RegExp(rightsOf(user)[verb]).test(name);
const mayKey = (user: string, verb: 'write' | 'read', exchange: string, key: string): boolean => {
  const topic = rightsOf(user).topics.find((each) => each.exchange === exchange);
  return may(user, verb, exchange) && (topic === undefined || new RegExp(topic[verb]).test(key));
};
const everyone = [...fixedUsers, 'edge-n1', 'app-shop'];
const others = everyone.filter((user) => user !== 'balancer');

describe('rightsOf', () => {
  it('lets nobody but the balancer declare or delete what the mesh shares', () => {
    for (const name of [...meshTopology.exchanges.map((each) => each.name), 'mesh.plan', 'mesh.leader']) {
      expect(everyone.filter((user) => may(user, 'configure', name))).toEqual(['balancer']);
    }
  });

  it('lets nobody but the balancer publish to any queue by name', () => {
    expect(everyone.filter((user) => may(user, 'write', 'amq.default'))).toEqual(['balancer']);
  });

  it('limits the keys of every topic exchange that anybody but the balancer publishes to, but for what clients say', () => {
    const unlimited = others.flatMap((user) =>
      meshTopology.exchanges
        .filter(({ type, name }) => type === 'topic' && may(user, 'write', name))
        .filter(({ name }) => !rightsOf(user).topics.some(({ exchange }) => exchange === name))
        .map(({ name }) => `${user} ${name}`),
    );
    expect(unlimited).toEqual(['edge mesh.inbound', 'edge-n1 mesh.inbound']);
  });

  it('limits the keys of every topic exchange that anybody but the balancer binds', () => {
    const unlimited = others.flatMap((user) =>
      meshTopology.exchanges
        .filter(({ type, name }) => type === 'topic' && may(user, 'read', name))
        .filter(({ name }) => !rightsOf(user).topics.some(({ exchange }) => exchange === name))
        .map(({ name }) => `${user} ${name}`),
    );
    expect(unlimited).toEqual([]);
  });

  it('ties an edge that has a user of its own to its node, and the shared one to none', () => {
    for (const key of ['stats', 'moves']) {
      expect(mayKey('edge-n1', 'write', 'mesh.stats', `${key}.n1`)).toBe(true);
      expect(mayKey('edge-n1', 'write', 'mesh.stats', `${key}.n2`)).toBe(false);
      expect(mayKey('edge', 'write', 'mesh.stats', `${key}.n2`)).toBe(true);
    }
    expect(mayKey('edge-n1', 'read', 'mesh.control', 'edge.n2')).toBe(false);
    expect(may('edge-n1', 'configure', 'control.n2.x')).toBe(false);
    expect(may('edge-n1', 'configure', 'control.n1.x')).toBe(true);
  });

  it('binds one user at a time, never all of them', () => {
    expect(mayKey('edge', 'read', 'mesh.events', 'user.alice.#')).toBe(true);
    expect(mayKey('edge', 'read', 'mesh.events', 'user.~QQ.#')).toBe(true);
    for (const key of ['#', 'user.#', 'user.*.#', 'user.#.#', '*.alice.#']) {
      expect(mayKey('edge', 'read', 'mesh.events', key)).toBe(false);
    }
  });

  it('lets an application publish events and serve the methods under its own name', () => {
    expect(mayKey('app-shop', 'write', 'mesh.events', 'user.alice.order.created')).toBe(true);
    expect(mayKey('app-shop', 'write', 'mesh.events', 'user..x')).toBe(false);
    for (const key of ['shop', 'shop.*', 'shop.#', 'shop.order.cancel', '$authorize.*.shop.#']) {
      expect(mayKey('app-shop', 'read', 'mesh.inbound', key)).toBe(true);
    }
    for (const key of [
      '#',
      '*',
      '*.order',
      'shopping.x',
      'bank.transfer',
      '$authorize.*.bank',
      '$authorize.#',
      '$refresh',
    ]) {
      expect(mayKey('app-shop', 'read', 'mesh.inbound', key)).toBe(false);
    }
  });

  it('lets a viewer look and an operator do both', () => {
    expect(mayKey('viewer', 'write', 'mesh.manage', 'view.status')).toBe(true);
    expect(mayKey('viewer', 'write', 'mesh.manage', 'operate.drain')).toBe(false);
    expect(mayKey('operator', 'write', 'mesh.manage', 'operate.drain')).toBe(true);
  });

  it('refuses names that are no user of the mesh, or that would widen a pattern', () => {
    for (const user of ['root', 'edge-', 'app-', 'edge-a.b', 'app-.*', 'edge-a|b', 'constructor'])
      expect(() => rightsOf(user)).toThrow(UnknownUserError);
  });
});

describe('definitions', () => {
  it('have anchored patterns alone, so that no name is matched in part', () => {
    const patterns = everyone.flatMap((user) => {
      const { configure, write, read, topics }: Rights = rightsOf(user);
      return [configure, write, read, ...topics.flatMap((topic) => [topic.write, topic.read])];
    });
    for (const pattern of patterns) expect(pattern).toMatch(/^\^.*\$$/);
  });

  it('hash passwords as RabbitMQ does', () => {
    // The example of RabbitMQ's own documentation.
    const salt = Buffer.from('908DC60A', 'hex');
    expect(passwordHash('test12', salt)).toBe('kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR');
    const { users } = userDefinitions([{ user: 'edge', password: 'test12', salt }]);
    expect(users).toEqual([expect.objectContaining({ name: 'edge', tags: [] })]);
    expect(JSON.stringify(users)).not.toContain('test12');
  });

  it('declare every exchange of the mesh, and each user once', () => {
    const { exchanges = [], permissions = [] } = vhostDefinitions('v', everyone, ['guest']);
    expect(exchanges).toHaveLength(meshTopology.exchanges.length);
    expect(permissions).toHaveLength(everyone.length + 1);
  });
});
