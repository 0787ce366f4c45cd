/**
 * Builds the receipt page into one file, dist/console/receipt.html: script and style stand inside it, and its own content security policy lets those
 * two run, by their hashes, and nothing be loaded from anywhere or sent anywhere.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { oneFile } from '../one-file.config.ts';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  publicDir: false,
  plugins: [oneFile({ fileName: 'receipt.html' })],
  build: {
    outDir: fileURLToPath(new URL('../../dist/console', import.meta.url)),
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    target: 'es2023',
    cssCodeSplit: false,
  },
});
