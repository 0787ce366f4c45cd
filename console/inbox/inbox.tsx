/** The customer's messages as they arrive over the real wire. A tap on a code types it into the phone. */
import { texts } from '../texts/texts.ts';
import { fullTimeOf, timeOf } from '../parts/time.ts';
import { Icon } from '../parts/icons.tsx';
import { Tag } from '../parts/parts.tsx';
import type { Stream } from '../stage/event-stream.ts';
import { codeIn, linkIn } from './message.ts';
import type { Message } from './message.ts';

export interface InboxProps {
  readonly stream: Stream<Message>;
  /** undefined: no code is asked for now. */
  readonly onUseCode: ((code: string) => void) | undefined;
}

export function Inbox({ stream, onUseCode }: InboxProps) {
  const { inbox } = texts.stage;
  const newestFirst = stream.items.toReversed();
  return (
    <section className="inbox" aria-label={inbox.title}>
      {stream.status === 'lost' && (
        <Tag tone="wait" icon="warning">
          {inbox.lost}
        </Tag>
      )}
      {newestFirst.length === 0 ? (
        <div className="empty">
          <strong>{inbox.empty}</strong>
          <p>{inbox.emptyText}</p>
        </div>
      ) : (
        <ol className="messages" aria-live="polite">
          {newestFirst.map((message, index) => (
            <MessageCard
              key={message.id}
              message={message}
              onUseCode={index === 0 ? onUseCode : undefined}
            />
          ))}
        </ol>
      )}
    </section>
  );
}

function MessageCard({
  message,
  onUseCode,
}: {
  readonly message: Message;
  readonly onUseCode: InboxProps['onUseCode'];
}) {
  const { inbox } = texts.stage;
  const code = codeIn(message);
  const link = linkIn(message);
  return (
    <li className="message" data-channel={message.channel}>
      <div className="message-head">
        <Icon name={message.channel === 'sms' ? 'message' : 'mail'} size={16} />
        <strong>{inbox[message.channel]}</strong>
        <span>{inbox.to(message.to)}</span>
        <time dateTime={message.receivedAt} title={fullTimeOf(message.receivedAt)}>
          {timeOf(message.receivedAt)}
        </time>
      </div>
      {message.subject !== undefined && <p className="message-subject">{message.subject}</p>}
      <p className="message-text">{message.text.trim().replaceAll(/\n{2,}/g, '\n')}</p>
      {code !== undefined && onUseCode !== undefined && (
        <button
          className="use-code"
          type="button"
          onClick={() => {
            onUseCode(code);
          }}
        >
          {inbox.use(code)}
        </button>
      )}
      {link !== undefined && (
        <a className="message-link" href={link.url} target="_blank" rel="noreferrer">
          {link.does === 'object' ? texts.recovery.link.object : texts.recovery.link.open}{' '}
          <Icon name="external" size={14} />
        </a>
      )}
    </li>
  );
}
