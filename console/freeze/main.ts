/**
 * The page behind the link of a security notice: it says what a freeze does, freezes when its button is pressed, and says what to do next. Opening
 * it sends nothing, so that whatever looks at links before people do changes nothing. The token stays in the fragment until it is spent.
 */
import '../tokens.css';
import './freeze.css';
import { textsFor } from './texts.ts';

interface Link {
  /** Of the tenant, before its paths; empty where it stands at the root. */
  readonly prefix: string;
  readonly token: string;
}

type Outcome = { readonly frozenUntil: string } | { readonly refused: string };

const { locale, texts } = textsFor(navigator.languages);
document.documentElement.lang = locale;

function linkOf(fragment: string): Link | undefined {
  const [, slug, token] = /^#(?:([a-z0-9-]{1,63})\.)?([A-Za-z0-9_-]{1,200})$/.exec(fragment) ?? [];
  if (token === undefined) return undefined;
  return { prefix: slug === undefined ? '' : `/t/${slug}`, token };
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  { text, look }: { readonly text?: string; readonly look?: string } = {},
  ...children: readonly Node[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (look !== undefined) made.className = look;
  made.append(...children);
  return made;
}

/** Shows one screen; whoever listens hears its title first. */
function show(title: string, ...children: readonly Node[]): void {
  const heading = element('h1', { text: title });
  heading.tabIndex = -1;
  document.title = title;
  document.getElementById('page')?.replaceChildren(heading, ...children);
  heading.focus();
}

const list = (items: readonly string[], name: 'ul' | 'ol') =>
  element(name, {}, ...items.map((text) => element('li', { text })));

function askFirst(link: Link): void {
  const { ask } = texts;
  const button = element('button', { text: ask.button });
  button.type = 'button';
  button.addEventListener('click', () => {
    button.disabled = true;
    button.textContent = ask.working;
    void freeze(link).then((outcome) => {
      if ('frozenUntil' in outcome) showDone(outcome.frozenUntil);
      else showRefusal(outcome.refused, link);
    });
  });
  show(
    ask.title,
    element('p', { text: ask.lead }),
    element(
      'div',
      { look: 'columns' },
      part(ask.stops, ask.stopped, 'stops'),
      part(ask.goesOn, ask.kept, 'goes-on'),
    ),
    element('p', { text: ask.ends }),
    button,
    element('p', { text: ask.leave, look: 'quiet' }),
  );
}

function part(title: string, items: readonly string[], look: string): HTMLElement {
  return element(
    'section',
    { look: `card ${look}` },
    element('h2', { text: title }),
    list(items, 'ul'),
  );
}

async function freeze({ prefix, token }: Link): Promise<Outcome> {
  try {
    const answer = await fetch(`${prefix}/freezes/link`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    });
    const body: unknown = await answer.json();
    const until = memberOf(body, 'frozenUntil');
    if (answer.ok && until !== undefined) return { frozenUntil: until };
    return { refused: memberOf(body, 'code') ?? '' };
  } catch {
    return { refused: '' };
  }
}

function memberOf(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || !(name in value)) return undefined;
  // Looked for just above.
  const member = (value as Record<string, unknown>)[name];
  return typeof member === 'string' ? member : undefined;
}

function showDone(frozenUntil: string): void {
  // It is spent: nobody needs it in the history.
  history.replaceState(null, '', location.pathname);
  const { done } = texts;
  const time = element('time', {
    text: new Intl.DateTimeFormat(navigator.language, {
      dateStyle: 'full',
      timeStyle: 'short',
    }).format(new Date(frozenUntil)),
  });
  time.dateTime = frozenUntil;
  show(
    `✓ ${done.title}`,
    element('p', { look: 'card good' }, document.createTextNode(`${done.until} `), time),
    element('h2', { text: done.next }),
    list(done.steps, 'ol'),
  );
}

function showRefusal(code: string, link: Link | undefined): void {
  const known = texts.refused[code];
  const { title, text } = known ?? texts.otherwise;
  const again = element('button', { text: texts.again });
  again.type = 'button';
  again.addEventListener('click', () => {
    if (link !== undefined) askFirst(link);
  });
  show(
    title,
    element('p', { text, look: 'card wait' }),
    ...(known === undefined && link !== undefined ? [again] : []),
  );
}

function start(): void {
  const link = linkOf(location.hash);
  if (link === undefined) showRefusal('freeze_link_invalid', undefined);
  else askFirst(link);
}

// A second link opened in the same tab changes the fragment alone.
window.addEventListener('hashchange', start);
start();
