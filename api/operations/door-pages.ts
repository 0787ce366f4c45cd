/** The few pages of the operations door that exist before any script: a refusal in plain words, with a way on. They name nobody. */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';

const STYLE =
  ':root{color-scheme:light dark}' +
  'body{margin:0;min-height:100dvh;display:grid;place-items:center;padding:16px;box-sizing:border-box;font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:light-dark(#15181e,#eceef1);background:light-dark(#f3f3f0,#0c0e11)}' +
  'main{max-width:440px;padding:24px;border-radius:16px;border:1px solid light-dark(#e3e3de,#2a2f37);background:light-dark(#fff,#15181d)}' +
  'h1{margin:0;font-size:26px;line-height:1.2;font-weight:600}p{margin:12px 0 0;color:light-dark(#4a4f59,#b5bbc6)}' +
  'a{display:inline-flex;align-items:center;min-height:44px;padding:0 16px;border-radius:10px;background:light-dark(#2448c0,#a3b7ff);color:light-dark(#fff,#0b1230);font-weight:600;text-decoration:none}' +
  'a:focus-visible{outline:2px solid light-dark(#2448c0,#a3b7ff);outline-offset:2px}code{font-size:12px;color:light-dark(#646973,#969da9)}';
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface DoorPage {
  /** Gives the status, and stands below for whoever is asked for help. */
  readonly code: ErrorCode;
  readonly title: string;
  readonly told: string;
  readonly next: { readonly href: string; readonly text: string };
}

/** Whether a person opened the address, not a script of a page. */
export function wantsPage(request: FastifyRequest): boolean {
  if (request.method !== 'GET') return false;
  const mode = request.headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate';
  return request.headers.accept?.includes('text/html') === true;
}

/** Every text is ours: nothing of the request but its id. */
export async function sendDoorPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { code, title, told, next }: DoorPage,
): Promise<FastifyReply> {
  request.facts.problemCode = code;
  return await reply
    .code(ERRORS[code].status)
    .headers({ 'cache-control': 'no-store', 'content-security-policy': POLICY })
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title} · Latchkey operations</title><style>${STYLE}</style></head>` +
        `<body><main><h1>${title}</h1><p>${told}</p><p><a href="${next.href}">${next.text}</a></p><p><code>${code} ${request.id}</code></p></main></body></html>`,
    );
}
