/** A message as the inbox shows it, and the code in it. Pure. */
export interface Message {
  readonly id: string;
  readonly receivedAt: string;
  readonly channel: 'sms' | 'email';
  readonly to: string;
  readonly text: string;
  readonly subject: string | undefined;
}

const CODE = /(?<!\d)\d{6,10}(?!\d)/;

/** undefined when it is no message. */
export function readMessage(data: unknown): Message | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const members: Readonly<Record<string, unknown>> = { ...data };
  const { id, receivedAt, channel, to, text, subject } = members;
  if (typeof id !== 'string' || typeof receivedAt !== 'string') return undefined;
  if (typeof to !== 'string' || typeof text !== 'string') return undefined;
  if (channel !== 'sms' && channel !== 'email') return undefined;
  return {
    id,
    receivedAt,
    channel,
    to,
    text,
    subject: typeof subject === 'string' ? subject : undefined,
  };
}

/** Of the bank's own pages. */
const LINK = /https?:\/\/[^\s]+\/recover\.html#[A-Za-z0-9._-]+/;

export interface MessageLink {
  readonly url: string;
  /** object: it stops something. */
  readonly does: 'prove' | 'object';
}

export function linkIn({ text }: Pick<Message, 'text'>): MessageLink | undefined {
  const url = LINK.exec(text)?.[0];
  if (url === undefined) return undefined;
  return { url, does: /[#.]stop\./.test(url) ? 'object' : 'prove' };
}

export const messageId = ({ id }: Message): string => id;

export function codeIn({ text }: Pick<Message, 'text'>): string | undefined {
  return CODE.exec(text)?.[0];
}
