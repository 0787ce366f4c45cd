/**
 * Builds the page behind the links of a recovery into one file, dist/console/recover.html. It may speak to the API it came from, and to nobody else.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { oneFile } from '../one-file.config.ts';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  publicDir: false,
  plugins: [oneFile({ fileName: 'recover.html', connect: ["'self'"] })],
  build: {
    outDir: fileURLToPath(new URL('../../dist/console', import.meta.url)),
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    target: 'es2023',
    cssCodeSplit: false,
  },
});
