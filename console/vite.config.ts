/** Builds the pages into dist/console. No inline scripts or styles, so that the content security policy needs no exception. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { build, defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/',
  plugins: [
    react(),
    {
      name: 'pages-of-one-file',
      // A build of its own: what is one file shares no chunk with anybody.
      closeBundle: async () => {
        for (const page of [
          new URL('receipt/vite.config.ts', import.meta.url),
          new URL('freeze/vite.config.ts', import.meta.url),
          new URL('recover/vite.config.ts', import.meta.url),
        ])
          await build({ configFile: fileURLToPath(page), logLevel: 'warn' });
      },
    },
  ],
  build: {
    outDir: fileURLToPath(new URL('../dist/console', import.meta.url)),
    emptyOutDir: true,
    rolldownOptions: {
      input: {
        stage: fileURLToPath(new URL('index.html', import.meta.url)),
        operations: fileURLToPath(new URL('operations/index.html', import.meta.url)),
      },
    },
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    // The component library with its locales; one file, fetched from this machine.
    chunkSizeWarningLimit: 700,
  },
});
