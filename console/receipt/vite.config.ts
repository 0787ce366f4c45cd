/**
 * Builds the receipt page into one file, dist/console/receipt.html: script and style stand inside it, and its own content security policy lets those
 * two run, by their hashes, and nothing be loaded from anywhere or sent anywhere.
 */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  publicDir: false,
  plugins: [oneFile()],
  build: {
    outDir: fileURLToPath(new URL('../../dist/console', import.meta.url)),
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    target: 'es2023',
    cssCodeSplit: false,
  },
});

function oneFile(): Plugin {
  return {
    name: 'one-file',
    enforce: 'post',
    generateBundle(_options, bundle) {
      let script = '';
      let style = '';
      let page = '';
      for (const [name, part] of Object.entries(bundle)) {
        const text = part.type === 'chunk' ? part.code : textOf(part.source);
        if (part.type === 'chunk') script += text;
        else if (name.endsWith('.css')) style += text;
        else if (name.endsWith('.html')) page = text;
        else throw new TypeError(`${name} does not fit into one file`);
        delete bundle[name];
      }
      this.emitFile({
        type: 'asset',
        fileName: 'receipt.html',
        source: joined({ page, script, style }),
      });
    },
  };
}

function joined(parts: {
  readonly page: string;
  readonly script: string;
  readonly style: string;
}): string {
  const { page } = parts;
  const script = parts.script.trim().replaceAll('</script', '<\\/script');
  const style = parts.style.trim();
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const bare = page
    .replaceAll(/\s*<script\b[^>]*><\/script>/g, '')
    .replaceAll(/\s*<link\b[^>]*rel="stylesheet"[^>]*>/g, '');
  const head = `<meta charset="utf-8" />\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`;
  // A function: what stands for a replacement in a script is none.
  return bare
    .replace('<meta charset="utf-8" />', () => head)
    .replace('</head>', () => `  <style>${style}</style>\n  </head>`)
    .replace('</body>', () => `  <script type="module">${script}</script>\n  </body>`);
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function textOf(source: string | Uint8Array): string {
  return typeof source === 'string' ? source : Buffer.from(source).toString('utf8');
}
