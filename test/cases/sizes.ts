import { eventually } from '@evenkeel/testkit';
import type { Case, Scene } from './case.js';
import { moreReports, statusOf } from './reports.js';
import { Wire } from './wire.js';

const kind = 'sizes are not limited';

const tooLarge: Case = {
  name: 'event-too-large',
  right: 'an event that a client cannot take is told as a gap, and the next one comes',
  kind,
  async run({ gateway, amqp }) {
    const user = 'too-large';
    const options = { maxPayload: 1_048_576 };
    let wire = await Wire.attach(gateway, { user }, {}, options);
    const { session } = wire;
    const seen: string[] = [];
    await amqp.publish({ key: `user.${user}.large`, body: JSON.stringify('x'.repeat(1_500_000)) });
    await amqp.publish({ key: `user.${user}.small`, body: '1' });
    for (let opened = 1; opened < 6; opened++) {
      await wire.until('the small one', () => wire.of('event').length > 0 || wire.closed !== undefined, 4000);
      seen.push(
        ...wire.frames.filter(({ t }) => t === 'event' || t === 'gap').map((f) => String(f.name ?? f.reason)),
      );
      if (wire.closed === undefined) break;
      wire = await Wire.attach(gateway, { user, session, from: wire.node }, { resume: true }, options);
    }
    wire.drop();
    return { isRight: seen.join() === 'too-large,small', saw: seen.join(', ') || 'nothing' };
  },
};

const clients = 3;

const rssOf = async ({ mesh }: Scene): Promise<number> => {
  const all = await Promise.all(mesh.edges.map(statusOf));
  return all.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
};

const stalled: Case = {
  name: 'stalled-clients',
  right: 'what an edge holds for a client that stops reading is bounded in bytes',
  kind,
  async run(scene) {
    const { gateway, amqp } = scene;
    const wires: Wire[] = [];
    for (let k = 0; k < clients; k++) {
      const wire = await Wire.attach(gateway, { user: `stalled-${k}` });
      wire.pause();
      wires.push(wire);
    }
    const before = await rssOf(scene);
    const body = JSON.stringify('x'.repeat(900_000));
    for (let n = 0; n < 64 * clients; n++) await amqp.publish({ key: `user.stalled-${n % clients}.e`, body });
    // What has come is in the reports by then. Garbage goes a little later, what is held does not.
    await moreReports(scene.mesh.edges, 3);
    let each = 0;
    const isLittle = async (): Promise<boolean> => {
      each = Math.round((await rssOf(scene)) / 1e6 / clients - before / 1e6 / clients);
      return each < 16;
    };
    const isRight = await eventually('little is held', isLittle, 10_000).catch(() => false);
    for (const wire of wires) wire.drop();
    return { isRight, saw: `64 events of 0.9 MB each: the edges grew by ${each} MB a client` };
  },
};

export const sizeCases: readonly Case[] = [tooLarge, stalled];
