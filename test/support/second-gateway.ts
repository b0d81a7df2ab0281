import { freePort, Member, type Mesh } from '@evenkeel/local';
import { onTestFinished } from 'vitest';

export interface SecondGateway {
  readonly member: Member;
  readonly url: string;
}

/** One more gateway of the mesh, with these variables besides; stopped with the test. */
export async function secondGateway(
  mesh: Mesh,
  env: Readonly<Record<string, string>>,
  onLine: (name: string, line: string) => void = () => undefined,
): Promise<SecondGateway> {
  const port = await freePort();
  const member = new Member({
    role: 'gateway',
    name: 'gateway-2',
    opsPort: await freePort(),
    env: {
      EVENKEEL_AMQP_URL: mesh.urlFor('gateway'),
      EVENKEEL_SECRET: mesh.secret,
      EVENKEEL_HOST: '127.0.0.1',
      EVENKEEL_PORT: String(port),
      ...env,
    },
    onLine,
    onUnexpectedEnd: () => undefined,
  });
  onTestFinished(() => member.stop());
  await member.start();
  return { member, url: `http://127.0.0.1:${port}` };
}
