/** One call of stage control: JSON in and out, no cookies, a refusal as an error with the API's own words. */
/** Something of the stage itself did not work; `title` is what the API said. */
export class ControlRefusal extends Error {
  override readonly name = 'ControlRefusal';
  readonly title: string;
  readonly code: string;

  constructor(title: string, code: string) {
    super(title);
    this.title = title;
    this.code = code;
  }
}

export type Members = Readonly<Record<string, unknown>>;

export async function ask(url: string, body?: unknown): Promise<Members> {
  const response = await fetch(url, {
    credentials: 'omit',
    ...(body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
  }).catch(() => undefined);
  const answer: unknown = await response?.json().catch(() => undefined);
  const members = isMembers(answer) ? answer : {};
  if (response?.ok === true) return members;
  const title = optionalText(members['title']) ?? 'no answer';
  throw new ControlRefusal(
    title,
    optionalText(members['code']) ?? optionalText(members['error']) ?? 'no_answer',
  );
}

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new ControlRefusal('an answer of stage control lacks a member', 'unreadable');
}

export function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
