/**
 * The page that says whether a receipt is genuine: two files in, a verdict in plain words out. It is one file that works from a disk with the network
 * cut, and shows what stands in a file only as text.
 */
import '../tokens.css';
import './receipt.css';
import { withoutPersonalText } from '../../sdk/receipt/copy.ts';
import { verifyReceipt } from '../../sdk/receipt/receipt.ts';
import { readKeyList } from '../../sdk/receipt/bank-signature.ts';
import { statementOf } from '../../sdk/receipt/statement.ts';
import type { Check, CheckResult, Verdict, Verification } from '../../sdk/receipt/types.ts';

const MAX_BYTES = 1024 * 1024;
let receiptText: string | undefined;
let keysText: string | undefined;

const LOOK: Readonly<Record<Verdict, { readonly tone: string; readonly word: string }>> = {
  genuine: { tone: 'good', word: '✓ Genuine' },
  withheld: { tone: 'good', word: '✓ Genuine, text taken out' },
  unconfirmed: { tone: 'wait', word: '? Not confirmed' },
  refused: { tone: 'danger', word: '✗ Not genuine' },
};
const NEXT: Readonly<Record<Verdict, string>> = {
  genuine: '',
  withheld: 'Whoever has the whole receipt can add the text; it then has to match.',
  unconfirmed:
    'Add the bank’s keys above. Get them from the bank, never from whoever gave you the receipt.',
  refused: 'Do not rely on it. Ask the bank for the receipt again.',
};
const MARK: Readonly<Record<CheckResult, { readonly sign: string; readonly word: string }>> = {
  passed: { sign: '✓', word: 'yes' },
  failed: { sign: '✗', word: 'no' },
  not_checked: { sign: '–', word: 'not checked' },
};

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

function place(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new TypeError(`the page has ${id}`);
  return found;
}

async function take(files: readonly File[]): Promise<void> {
  for (const file of files) {
    const text = file.size > MAX_BYTES ? '' : await file.text();
    if (readKeyList(text) === undefined) {
      receiptText = text;
      place('receipt-name').textContent = file.name;
    } else {
      keysText = text;
      place('keys-name').textContent = file.name;
    }
  }
  if (receiptText === undefined) return;
  const keys = keysText === undefined ? {} : { keys: keysText };
  show(await verifyReceipt(receiptText, keys));
}

function show(verification: Verification): void {
  const { verdict, says, checks, receipt } = verification;
  const { tone, word } = LOOK[verdict];
  const card = element(
    'section',
    { look: `verdict ${tone}` },
    element('h2', { text: word }),
    element('p', { text: says }),
    element('p', { text: NEXT[verdict] }),
  );
  const parts: Node[] = [card];
  if (receipt !== undefined) {
    const lines = element('dl', { look: 'statement' });
    for (const [label, value] of statementOf(receipt))
      lines.append(element('dt', { text: label }), element('dd', { text: value }));
    const title = element('h2', { text: 'What it says' });
    parts.push(element('section', { look: 'card' }, title, lines));
    if (receipt.type === 'latchkey-receipt' && Object.keys(receipt.disclosures).length > 0) {
      const save = element('button', { text: 'Save a copy without personal text' });
      save.type = 'button';
      save.addEventListener('click', () => {
        download(
          JSON.stringify(withoutPersonalText(receipt), null, 2),
          `${receipt.receiptId}-copy.json`,
        );
      });
      parts.push(save);
    }
  }
  const list = element('ol', { look: 'checks' }, ...inOrder(checks).map((check) => lineOf(check)));
  const title = element('h2', { text: 'What was checked' });
  parts.push(element('section', { look: 'card' }, title, list));
  place('result').replaceChildren(...parts);
}

/** What speaks against it comes first. */
function inOrder(checks: readonly Check[]): readonly Check[] {
  const hasFailed = ({ result }: Check): boolean => result === 'failed';
  return [...checks.filter(hasFailed), ...checks.filter((check) => !hasFailed(check))];
}

function lineOf({ id, result, question, says }: Check): HTMLElement {
  const { sign, word } = MARK[result];
  const mark = element('span', { look: `mark ${result}`, text: sign });
  mark.setAttribute('role', 'img');
  mark.setAttribute('aria-label', word);
  const text = element(
    'div',
    {},
    element('strong', { text: question }),
    element('p', { text: says, look: 'quiet' }),
  );
  const line = element('li', {}, mark, text);
  line.dataset['check'] = id;
  line.dataset['result'] = result;
  return line;
}

function download(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = element('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

function taking(files: FileList | null | undefined): void {
  take([...(files ?? [])]).catch(() => {
    place('result').textContent = 'The file cannot be read.';
  });
}

for (const id of ['receipt-file', 'keys-file']) {
  place(id).addEventListener('change', (event) => {
    const { target } = event;
    if (target instanceof HTMLInputElement) taking(target.files);
  });
}
for (const name of ['dragover', 'drop'] as const) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.toggle('is-over', name === 'dragover');
    if (name === 'drop') taking(event.dataTransfer?.files);
  });
}
document.addEventListener('dragleave', () => {
  document.body.classList.remove('is-over');
});
