/**
 * The test projects, one a folder of `test/`. Unit tests touch no server; every other project gets the addresses of one
 * embedded PostgreSQL and one Temporal server from `test/setup/servers.ts`. Two cores are assumed: servers want one of them.
 */
import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';

const SERVERS_SETUP = './test/setup/servers.ts';

const withServers = (name: string): TestProjectInlineConfiguration => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    environment: 'node',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
    fileParallelism: false,
    globalSetup: existsSync(new URL(SERVERS_SETUP, import.meta.url)) ? [SERVERS_SETUP] : [],
  },
});

export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          environment: 'node',
          testTimeout: 10_000,
          hookTimeout: 10_000,
          maxWorkers: 2,
        },
      },
      {
        test: { name: 'vectors', include: ['test/vectors/**/*.test.ts'], environment: 'node' },
      },
      withServers('workflows'),
      withServers('replay'),
      withServers('contract'),
      withServers('api'),
      withServers('browser'),
      withServers('faults'),
      withServers('canary'),
      withServers('schemathesis'),
    ],
  },
});
