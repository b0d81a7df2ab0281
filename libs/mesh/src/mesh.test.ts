import { expect, it, vi } from 'vitest';
import { Mesh } from './mesh.js';

it('is ready without a queue that is optional, and without no other', () => {
  const mesh = new Mesh({ url: 'amqp://localhost', name: 'test' });
  vi.spyOn(mesh.consuming, 'readiness').mockReturnValue(true);
  const optional = mesh.durableQueue({ name: 'optional', isOptional: true });
  expect([mesh.readiness(), optional.readiness()]).toEqual([true, 'queue optional: not started']);
  mesh.durableQueue({ name: 'needed' });
  expect(mesh.readiness()).toBe('queue needed: not started');
});
