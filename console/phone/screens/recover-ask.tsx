/** "I lost my phone": what happened, and which contact shall answer. Nothing happens to the account before that contact has answered. */
import { useState } from 'react';
import { Radio, RadioGroup } from 'react-aria-components';
import type { RecoveryReport } from '../../../sdk/recovery-types.ts';
import { texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { asked, ContactFields, useContactQuestion } from './contact-question.tsx';
import { Page } from './page.tsx';

const REPORTS: readonly RecoveryReport[] = ['lost', 'stolen', 'broken', 'replaced'];

export function RecoverAskScreen() {
  const [{ busy }, model] = usePhone();
  const [report, setReport] = useState<RecoveryReport>('lost');
  const [question, setQuestion] = useContactQuestion();
  const { ask: words } = texts.recovery;
  const isGone = report === 'lost' || report === 'stolen';
  return (
    <Page
      title={words.title}
      misfit={texts.problems[question.kind === 'phone' ? 'phone_invalid' : 'email_invalid']}
      onBack={() => {
        model.rest();
      }}
      onSubmit={() => void model.recovering.ask(report, asked(question))}
      actions={
        <>
          <Button
            kind="primary"
            type="submit"
            isBusy={busy === 'recover-ask'}
            isDisabled={question.value === ''}
          >
            {words.send}
          </Button>
          <Button
            kind="quiet"
            onPress={() => {
              model.goTo('freeze-ask');
            }}
          >
            {words.freeze}
          </Button>
        </>
      }
    >
      <RadioGroup
        className="segments report-choice"
        aria-label={words.reportsLabel}
        value={report}
        onChange={(wanted) => {
          setReport(REPORTS.find((known) => known === wanted) ?? 'lost');
        }}
      >
        {REPORTS.map((known) => (
          <Radio key={known} value={known} className="segment">
            {words.reports[known]}
          </Radio>
        ))}
      </RadioGroup>
      <h3 className="page-question">{words.by}</h3>
      <ContactFields
        question={question}
        onChange={setQuestion}
        note={isGone && question.kind === 'phone' ? words.byPhoneLost : undefined}
      />
    </Page>
  );
}

export function RecoverElsewhereScreen() {
  const [, model] = usePhone();
  const { elsewhere: words } = texts.recovery;
  return (
    <Page
      title={words.title}
      text={words.text}
      actions={
        <Button
          onPress={() => {
            model.rest();
          }}
        >
          {words.close}
        </Button>
      }
    >
      <span className="medal" data-tone="wait">
        <Icon name="phone" size={32} />
      </span>
    </Page>
  );
}
