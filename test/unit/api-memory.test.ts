/** The bounds of the API's memory stand in three places: TypeScript, the image and the compose file must say the same. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { API_MEMORY_FLAGS } from '../../runtime/api-memory.ts';

const read = async (path: string) =>
  await readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the image starts the API with the bounds that the code names', async () => {
  const words = ['node', ...API_MEMORY_FLAGS, 'api/server.ts'];
  expect(await read('Dockerfile')).toContain(
    `CMD ${JSON.stringify(words).replaceAll(',', ', ')}\n`,
  );
});

test('the compose file starts the API with the bounds that the code names', async () => {
  const words = ['node', ...API_MEMORY_FLAGS, 'api/server.ts'];
  expect(await read('docker-compose.yml')).toContain(`command: [${words.join(', ')}]\n`);
});
