/**
 * The page behind the links of a recovery: it asks for the number on the new phone, or lets the owner object. Opening it sends nothing, so that
 * whatever looks at links before people do changes nothing. The token stays in the fragment until it is spent.
 */
import '../tokens.css';
import '../freeze/freeze.css';
import './recover.css';
import { textsFor } from './texts.ts';

interface Link {
  /** Of the tenant, before its paths; empty where it stands at the root. */
  readonly prefix: string;
  readonly does: 'prove' | 'object';
  readonly token: string;
}

/** `value`: the member that the answer was asked for. */
type Outcome = { readonly value: string } | { readonly refused: string };

const CHECK_NUMBER = /^[0-9]{4}$/;
const { locale, texts } = textsFor(navigator.languages);
document.documentElement.lang = locale;

function linkOf(fragment: string): Link | undefined {
  const form = /^#(?:(?!stop\.)([a-z0-9-]{1,63})\.)?(stop\.)?([A-Za-z0-9_-]{1,200})$/;
  const [, slug, stop, token] = form.exec(fragment) ?? [];
  if (token === undefined) return undefined;
  const prefix = slug === undefined ? '' : `/t/${slug}`;
  return { prefix, does: stop === undefined ? 'prove' : 'object', token };
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

function askForNumber(link: Link): void {
  const { prove } = texts;
  const input = element('input');
  Object.assign(input, { id: 'number', inputMode: 'numeric', maxLength: 4, autocomplete: 'off' });
  input.setAttribute('aria-describedby', 'hint problem');
  const label = element('label', { text: prove.label });
  label.htmlFor = 'number';
  const hint = element('p', { text: prove.hint, look: 'quiet' });
  hint.id = 'hint';
  const problem = element('p', { look: 'problem' });
  problem.id = 'problem';
  problem.setAttribute('role', 'alert');
  const button = element('button', { text: prove.button });
  const form = element('form', {}, label, input, hint, problem, button);
  const complain = (text: string) => {
    problem.textContent = text;
    input.setAttribute('aria-invalid', 'true');
    input.focus();
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const checkNumber = input.value.trim();
    if (!CHECK_NUMBER.test(checkNumber)) {
      complain(prove.missing);
      return;
    }
    button.disabled = true;
    button.textContent = prove.working;
    void send(link, '/recovery-links', { checkNumber }, 'status').then((outcome) => {
      button.disabled = false;
      button.textContent = prove.button;
      if ('value' in outcome) showEnd(texts.proved, 'good');
      else if (outcome.refused === 'wrong_code') complain(prove.wrong);
      else showRefusal(outcome.refused, link);
    });
  });
  show(
    prove.title,
    element('p', { text: prove.lead }),
    element('p', { text: prove.warning, look: 'card stops' }),
    form,
    element('p', { text: prove.leave, look: 'quiet' }),
  );
}

function askToObject(link: Link): void {
  const { object } = texts;
  const button = element('button', { text: object.button });
  button.type = 'button';
  button.addEventListener('click', () => {
    button.disabled = true;
    button.textContent = object.working;
    void send(link, '/recovery-objections', {}, 'result').then((outcome) => {
      const screen = 'value' in outcome ? texts.objected[outcome.value] : undefined;
      if (screen !== undefined) showEnd(screen, 'good');
      else showRefusal('refused' in outcome ? outcome.refused : '', link);
    });
  });
  show(
    object.title,
    element('p', { text: object.lead }),
    element('p', { text: object.after }),
    button,
    element('p', { text: object.leave, look: 'quiet' }),
  );
}

async function send(
  { prefix, token }: Link,
  path: string,
  more: Readonly<Record<string, string>>,
  member: string,
): Promise<Outcome> {
  try {
    const answer = await fetch(`${prefix}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, ...more }),
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    });
    const body: unknown = await answer.json();
    const value = memberOf(body, member);
    if (answer.ok && value !== undefined) return { value };
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

function showEnd({ title, text }: { title: string; text: string }, look: string): void {
  // It is spent: nobody needs it in the history.
  history.replaceState(null, '', location.pathname);
  show(`✓ ${title}`, element('p', { text, look: `card ${look}` }));
}

function showRefusal(code: string, link: Link | undefined): void {
  const known = texts.refused[code];
  const { title, text } = known ?? texts.otherwise;
  const again = element('button', { text: texts.again });
  again.type = 'button';
  again.addEventListener('click', () => {
    if (link !== undefined) ask(link);
  });
  show(
    title,
    element('p', { text, look: 'card wait' }),
    ...(known === undefined && link !== undefined ? [again] : []),
  );
}

function ask(link: Link): void {
  if (link.does === 'prove') askForNumber(link);
  else askToObject(link);
}

function start(): void {
  const link = linkOf(location.hash);
  if (link === undefined) showRefusal('recovery_link_invalid', undefined);
  else ask(link);
}

// A second link opened in the same tab changes the fragment alone.
window.addEventListener('hashchange', start);
start();
