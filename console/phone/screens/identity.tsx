/** Identity in three questions, handed in at once. What is typed stays in memory until then. */
import { useState } from 'react';
import { DateField, DateInput, DateSegment, I18nProvider, Label } from 'react-aria-components';
import type { DateValue } from 'react-aria-components';
import { texts } from '../../texts/texts.ts';
import { Button, Field } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { ExampleFiller, Page } from './page.tsx';

type Question = 'name' | 'birth' | 'document';
const ORDER: readonly Question[] = ['name', 'birth', 'document'];

interface Answers {
  readonly givenName: string;
  readonly familyName: string;
  readonly birthDate: DateValue | null;
  readonly documentNumber: string;
}

interface QuestionProps {
  readonly answers: Answers;
  readonly onChange: (change: Partial<Answers>) => void;
}

const NOTHING: Answers = { givenName: '', familyName: '', birthDate: null, documentNumber: '' };

export function IdentityScreen() {
  const [{ busy }, model] = usePhone();
  const { identity: words, next } = texts.phone;
  const [question, setQuestion] = useState<Question>('name');
  const [answers, setAnswers] = useState(NOTHING);
  const index = ORDER.indexOf(question);
  const previous = ORDER[index - 1];
  const following = ORDER[index + 1];
  const isReady = isAnswered(question, answers);
  const titles = { name: words.nameTitle, birth: words.birthTitle, document: words.documentTitle };

  const goOn = () => {
    if (!isReady) return;
    if (following === undefined) void model.enrolling.submitIdentity(detailsOf(answers));
    else setQuestion(following);
  };

  return (
    <Page
      key={question}
      title={titles[question]}
      step={2}
      {...(previous === undefined ? {} : { onBack: () => setQuestion(previous) })}
      onSubmit={goOn}
      actions={
        <Button kind="primary" type="submit" isBusy={busy === 'identity'} isDisabled={!isReady}>
          {following === undefined ? words.send : next}
        </Button>
      }
    >
      <Questions
        question={question}
        answers={answers}
        onChange={(change) => {
          setAnswers({ ...answers, ...change });
        }}
      />
    </Page>
  );
}

function isAnswered(question: Question, answers: Answers): boolean {
  switch (question) {
    case 'name':
      return answers.givenName.trim() !== '' && answers.familyName.trim() !== '';
    case 'birth':
      return answers.birthDate !== null;
    case 'document':
      return answers.documentNumber.trim() !== '';
  }
}

function detailsOf({ givenName, familyName, birthDate, documentNumber }: Answers) {
  return {
    givenName: givenName.trim(),
    familyName: familyName.trim(),
    birthDate: birthDate?.toString() ?? '',
    documentNumber: documentNumber.trim(),
  };
}

function Questions({ question, ...rest }: QuestionProps & { readonly question: Question }) {
  switch (question) {
    case 'name':
      return <Name {...rest} />;
    case 'birth':
      return <BirthDate {...rest} />;
    case 'document':
      return <DocumentNumber {...rest} />;
  }
}

function Name({ answers, onChange }: QuestionProps) {
  const { identity: words } = texts.phone;
  return (
    <>
      <Field
        label={words.givenName}
        value={answers.givenName}
        onChange={(givenName) => {
          onChange({ givenName });
        }}
        autoFocus
      />
      <Field
        label={words.familyName}
        hint={words.nameHint}
        value={answers.familyName}
        onChange={(familyName) => {
          onChange({ familyName });
        }}
      />
      <ExampleFiller
        onFill={() => {
          onChange({ givenName: 'Aroha Jane', familyName: 'Ngata' });
        }}
      />
    </>
  );
}

function DocumentNumber({ answers, onChange }: QuestionProps) {
  const { identity: words } = texts.phone;
  return (
    <>
      <Field
        label={words.documentNumber}
        hint={words.documentHint}
        value={answers.documentNumber}
        onChange={(documentNumber) => {
          onChange({ documentNumber });
        }}
        autoFocus
      />
      <ExampleFiller
        onFill={() => {
          onChange({ documentNumber: exampleDocument() });
        }}
      />
    </>
  );
}

function BirthDate({ answers, onChange }: QuestionProps) {
  return (
    <I18nProvider locale="en-NZ">
      <DateField
        className="field"
        value={answers.birthDate}
        onChange={(birthDate) => {
          onChange({ birthDate });
        }}
        granularity="day"
        shouldForceLeadingZeros
        autoFocus
      >
        <Label>{texts.phone.identity.birthDate}</Label>
        <DateInput className="date-input">
          {(segment) => <DateSegment className="date-segment" segment={segment} />}
        </DateInput>
      </DateField>
    </I18nProvider>
  );
}

/** Its owner is one person only, so each rehearsal needs another. */
function exampleDocument(): string {
  return `LK${String((crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % 1_000_000).padStart(6, '0')}`;
}
