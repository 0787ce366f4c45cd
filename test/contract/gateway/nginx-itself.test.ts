/** The nginx that the tests start: Debian's, its own words when it refuses, and how it stands before replicas. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { findFreePort } from '../../../runtime/ports.ts';
import { balanceOver, startNginx } from '../../setup/programs/nginx.ts';

describe('the nginx of the tests', () => {
  it('stands before replicas and goes on when one of them is gone', async () => {
    const replica = createServer((_request, response) => response.end('here'));
    await new Promise<void>((resolve) => replica.listen(0, '127.0.0.1', resolve));
    // A TCP server's address is never a path.
    const { port } = replica.address() as AddressInfo;
    const nginx = await startNginx(balanceOver([port, await findFreePort()]));
    try {
      for (let round = 0; round < 4; round += 1) {
        const answer = await fetch(`${nginx.url}/anything`);
        expect([answer.status, await answer.text()]).toEqual([200, 'here']);
      }
    } finally {
      await nginx.stop();
      replica.closeAllConnections();
      replica.close();
    }
  });

  it('says why it does not start', async () => {
    await expect(startNginx(() => 'no_such_directive on;')).rejects.toThrow(
      'unknown directive "no_such_directive"',
    );
  });
});
