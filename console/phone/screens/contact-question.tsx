/** Which contact shall be asked: one field, one switch between the two kinds. Whether the bank knows it is never told here. */
import { useState } from 'react';
import { Radio, RadioGroup } from 'react-aria-components';
import { texts } from '../../texts/texts.ts';
import { Field } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import type { AskedContact } from '../recovering.ts';
import { ExampleFiller } from './page.tsx';

export interface ContactQuestion {
  readonly kind: 'email' | 'phone';
  readonly value: string;
}

export const NO_CONTACT: ContactQuestion = { kind: 'email', value: '' };

export function asked({ kind, value }: ContactQuestion): AskedContact {
  return kind === 'email' ? { email: value.trim() } : { phone: value.replaceAll(/[\s()-]/g, '') };
}

export function useContactQuestion(kind: ContactQuestion['kind'] = NO_CONTACT.kind) {
  return useState<ContactQuestion>({ ...NO_CONTACT, kind });
}

export function ContactFields({
  question,
  onChange,
  note,
}: {
  readonly question: ContactQuestion;
  readonly onChange: (question: ContactQuestion) => void;
  readonly note?: string | undefined;
}) {
  const [{ examples }] = usePhone();
  const { ask: words } = texts.recovery;
  const { kind, value } = question;
  const example = examples[kind];
  return (
    <>
      <RadioGroup
        className="segments"
        aria-label={words.by}
        orientation="horizontal"
        value={kind}
        onChange={(wanted) => {
          onChange({ kind: wanted === 'phone' ? 'phone' : 'email', value: '' });
        }}
      >
        <Radio value="email" className="segment">
          {words.byEmail}
        </Radio>
        <Radio value="phone" className="segment">
          {words.byPhone}
        </Radio>
      </RadioGroup>
      <Field
        key={kind}
        label={kind === 'email' ? words.email : words.phone}
        hint={kind === 'email' ? words.emailHint : words.phoneHint}
        placeholder={
          kind === 'email' ? texts.phone.email.placeholder : texts.phone.number.placeholder
        }
        type={kind === 'email' ? 'email' : 'tel'}
        inputMode={kind === 'email' ? 'email' : 'tel'}
        autoComplete="off"
        value={value}
        onChange={(typed) => {
          onChange({ kind, value: typed });
        }}
      />
      {example !== undefined && (
        <ExampleFiller
          onFill={() => {
            onChange({ kind, value: example });
          }}
        />
      )}
      {note !== undefined && <p className="page-note">{note}</p>}
    </>
  );
}
