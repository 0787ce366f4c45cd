/** Above the phone while the story has two of them. */
import { ToggleButton, ToggleButtonGroup } from 'react-aria-components';
import { texts } from '../texts/texts.ts';
import type { WhichPhone } from './use-shown-phone.ts';

const PHONES = ['old', 'new'] as const;

export function PhoneSwitch({
  which,
  onShow,
}: {
  readonly which: WhichPhone;
  readonly onShow: (which: WhichPhone) => void;
}) {
  const { phones: words } = texts.recovery;
  return (
    <ToggleButtonGroup
      className="stories phone-switch"
      aria-label={words.label}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[which]}
      onSelectionChange={(keys) => {
        onShow(keys.has('new') ? 'new' : 'old');
      }}
    >
      {PHONES.map((phone) => (
        <ToggleButton key={phone} id={phone} className="story">
          {words[phone]}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
