/**
 * The pages of the demo's staff directory as plain HTML: who can log in, and what went wrong. They use the tokens of all other
 * pages, run no script, and must say at first glance that this is a demo without passwords.
 */
import { readFile } from 'node:fs/promises';
import type { DemoPerson } from './staff-people.ts';

const TOKENS = new URL('../console/tokens.css', import.meta.url);

const STYLE = `
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; min-height: 100dvh; display: grid; place-items: center; padding: var(--space-4);
  font-family: var(--family); font-size: var(--text-m); line-height: 1.45; color: var(--ink); background: var(--paper); }
main { width: 100%; max-width: 440px; background: var(--surface); border: 1px solid var(--line);
  border-radius: var(--radius-l); box-shadow: var(--shadow-card); padding: var(--space-6); }
h1, p, ul { margin: 0; padding: 0; }
.mark { display: flex; align-items: center; gap: var(--space-2); color: var(--ink-2); font-weight: var(--strong); }
.mark img { width: 22px; height: 22px; }
.demo { margin-inline-start: auto; padding: 2px var(--space-2); border-radius: var(--radius-full);
  background: var(--wait-soft); color: var(--wait); font-size: var(--text-s); font-weight: var(--strong); }
h1 { margin-top: var(--space-5); font-size: var(--text-xl); line-height: 1.2; font-weight: var(--strong); }
.told { margin-top: var(--space-2); color: var(--ink-2); }
ul { list-style: none; margin-top: var(--space-5); display: grid; gap: var(--space-2); }
button { width: 100%; min-height: 60px; display: flex; align-items: center; gap: var(--space-3); padding: var(--space-2) var(--space-3);
  font: inherit; color: inherit; text-align: start; cursor: pointer; background: var(--surface);
  border: 1px solid var(--line-strong); border-radius: var(--radius-m); transition: background var(--quick) var(--ease); }
button:hover { background: var(--accent-soft); border-color: var(--accent); }
button:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.initials { flex: none; display: grid; place-items: center; width: 36px; height: 36px; border-radius: var(--radius-full);
  background: var(--accent-soft); color: var(--accent); font-weight: var(--strong); }
.who { display: grid; }
.who strong { font-weight: var(--strong); }
.who small { font-size: var(--text-s); color: var(--ink-2); }
.arrow { margin-inline-start: auto; color: var(--ink-3); }
.foot { margin-top: var(--space-5); padding-top: var(--space-4); border-top: 1px solid var(--line); font-size: var(--text-s); color: var(--ink-3); }
`;

/** The style sheet of both pages. */
export async function directoryStyle(): Promise<string> {
  return `${await readFile(TOKENS, 'utf8')}${STYLE}`;
}

/** One button a person; `action` takes the choice as a form. */
export function loginPage(people: readonly DemoPerson[], action: string): string {
  const rows = people.map(
    (person) => `<li><button name="person" value="${escaped(person.id)}">
<span class="initials" aria-hidden="true">${escaped(initials(person.name))}</span>
<span class="who"><strong>${escaped(person.name)}</strong><small>${escaped(person.duty)}</small></span>
<span class="arrow" aria-hidden="true">→</span></button></li>`,
  );
  return page({
    title: 'Who are you today?',
    told: 'The staff login of the demo bank. Choose a person to go on; no password is asked.',
    content: `<form method="post" action="${escaped(action)}"><ul>${rows.join('')}</ul></form>`,
  });
}

/** For a login that cannot go on. */
export function trouble(told: string): string {
  return page({ title: 'This login cannot go on', told, content: '' });
}

function page({ title, told, content }: { title: string; told: string; content: string }): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">
<title>${escaped(title)} · Demo staff login</title><link rel="icon" href="/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css"></head>
<body><main><div class="mark"><img src="/mark.svg" alt="">Demo Bank staff<span class="demo">Demo</span></div>
<h1>${escaped(title)}</h1><p class="told">${escaped(told)}</p>${content}
<p class="foot">A stand-in for your company’s own single sign-on. It runs on this machine only and never in production.</p>
</main></body></html>`;
}

function initials(name: string): string {
  return name
    .split(' ')
    .map((word) => word.slice(0, 1))
    .join('');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
