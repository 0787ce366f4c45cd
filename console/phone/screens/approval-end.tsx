/** How it ended, in the customer's words: approved and what follows, or why not and what stays as it was. */
import type { CustomerStepUp } from '../../../sdk/types.ts';
import { texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import type { IconName } from '../../parts/icons.tsx';
import { Button } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { Page } from './page.tsx';

export function ApprovedScreen({ view }: { readonly view: CustomerStepUp }) {
  const { approved } = texts.approvals;
  const isCall = view.type === 'verified_call';
  const [agent] = view.display?.fields ?? [];
  return (
    <Ended
      title={isCall ? approved.call : approved.title}
      text={isCall ? approved.callText(agent?.value ?? view.requester.name) : approved.other}
      tone="good"
    />
  );
}

export function ApprovalEndScreen({ view }: { readonly view: CustomerStepUp }) {
  const reason = view.reason ?? 'not_approved';
  const { ends, unchanged, unchangedOther } = texts.approvals;
  const { title, text: textOf } = ends[reason];
  const text = textOf(unchanged[view.type] ?? unchangedOther);
  if (reason === 'consumed') return <Ended title={title} text={text} tone="good" />;
  const isDanger = reason === 'not_me' || reason === 'cut_off' || reason === 'risk';
  return (
    <Ended
      title={title}
      text={text}
      tone={isDanger ? 'danger' : 'wait'}
      isReplaced={reason === 'superseded'}
    />
  );
}

const ICONS = { good: 'check', wait: 'warning', danger: 'shieldOff' } as const satisfies Record<
  string,
  IconName
>;

function Ended(props: {
  readonly title: string;
  readonly text: string;
  readonly tone: keyof typeof ICONS;
  readonly isReplaced?: boolean;
}) {
  const [{ busy }, model] = usePhone();
  const { approvals: words } = texts;
  return (
    <Page
      title={props.title}
      text={props.text}
      actions={
        <Button
          kind="primary"
          isBusy={busy === 'show'}
          onPress={() => {
            void model.approvals.dismiss();
          }}
        >
          {props.isReplaced === true ? words.showNewer : words.done}
        </Button>
      }
    >
      <span className="medal" data-tone={props.tone}>
        <Icon name={ICONS[props.tone]} size={32} />
      </span>
    </Page>
  );
}
