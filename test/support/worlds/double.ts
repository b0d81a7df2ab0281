import { createTestMesh } from '@evenkeel/testing';
import { silent, type World } from './world.js';

export async function openDouble(): Promise<World> {
  const mesh = createTestMesh();
  return {
    connect: mesh.connect,
    createPublisher: (name) => mesh.createPublisher({ name, log: silent }),
    sealed: () => mesh.settled(),
    move: async (client) => mesh.move(client),
    disconnect: (client) => mesh.disconnect(client),
    restore: (client) => mesh.restore(client),
    loseWaiting: async (client) => mesh.loseEvents(client),
    expire: async (client) => mesh.expire(client),
    expel: async (user) => mesh.expel(user),
    close: () => mesh.close(),
  };
}
