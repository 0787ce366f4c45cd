/**
 * A page as one file: script and style stand inside it, and its own content security policy lets those two run, by their hashes, and nothing else
 * be loaded. Where it may send anything, it says so by name.
 */
import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

interface OneFile {
  readonly fileName: string;
  /** Sources of `connect-src`; none when left out: the page can send nothing anywhere. */
  readonly connect?: readonly string[];
}

export function oneFile({ fileName, connect = [] }: OneFile): Plugin {
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
        fileName,
        source: joined({ page, script, style, connect }),
      });
    },
  };
}

function joined(parts: {
  readonly page: string;
  readonly script: string;
  readonly style: string;
  readonly connect: readonly string[];
}): string {
  const { page } = parts;
  const script = parts.script.trim().replaceAll('</script', '<\\/script');
  const style = parts.style.trim();
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    ...(parts.connect.length === 0 ? [] : [`connect-src ${parts.connect.join(' ')}`]),
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
