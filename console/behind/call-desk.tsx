/** The agent's pane of a verified call, one column: who, is it them, what now. Nothing of the customer before it is proved. */
import { Icon } from '../parts/icons.tsx';
import { Button, Tag } from '../parts/parts.tsx';
import { ago, fullTimeOf, useNow } from '../parts/time.ts';
import type { CallView } from '../stage/call-view.ts';
import { texts } from '../texts/texts.ts';
import type { Call } from './use-call.ts';

const MONTH = new Intl.DateTimeFormat('en-NZ', { day: 'numeric', month: 'short', year: 'numeric' });

export function CallDesk({
  call,
  customerId,
}: {
  readonly call: Call;
  readonly customerId: string | undefined;
}) {
  const { calls: words } = texts.behind;
  const { view, failure } = call;
  const isWaiting = view?.status === 'pending';
  return (
    <section className="desk" aria-label={words.title}>
      <h3 className="hidden">{words.title}</h3>
      <div className="pay-row">
        <strong>{words.who}</strong>
        {view !== undefined && <Tag tone="plain">{words.caseOf(view.caseReference)}</Tag>}
      </div>
      <div role="status">
        {view === undefined ? (
          <p className="quiet">{customerId === undefined ? words.nobody : words.ready}</p>
        ) : (
          <Standing view={view} />
        )}
      </div>
      {failure !== undefined && (
        <p className="field-error" role="alert">
          {words.failed(failure)}
        </p>
      )}
      <div className="desk-foot">
        <Button
          size="dense"
          kind={view === undefined ? 'primary' : 'secondary'}
          isDisabled={customerId === undefined || isWaiting}
          isBusy={call.isBusy}
          onPress={call.ask}
        >
          {view === undefined ? words.ask : words.again}
        </Button>
      </div>
    </section>
  );
}

function Standing({ view }: { readonly view: CallView }) {
  const nowMs = useNow();
  const { calls: words } = texts.behind;
  const { status, provedSecondsAgo, deviceName, deviceTrustedSince } = view;
  if (provedSecondsAgo !== undefined)
    return (
      <p className="call-proved">
        <Icon name="shield" />
        <span>
          <strong>{words.proved(ago(nowMs - provedSecondsAgo * 1_000, nowMs))}</strong>
          {deviceName !== undefined && deviceTrustedSince !== undefined && (
            <small title={fullTimeOf(deviceTrustedSince)}>
              {words.device(deviceName, MONTH.format(new Date(deviceTrustedSince)))}
            </small>
          )}
        </span>
      </p>
    );
  if (status === 'pending')
    return (
      <Tag tone="wait" icon="pause">
        {words.waiting}
      </Tag>
    );
  return (
    <Tag tone="danger" icon="refused">
      {status === 'denied' ? words.refused : words.endedText}
    </Tag>
  );
}
