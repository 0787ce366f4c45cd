/** The desks that break and decide things, one at a time; a story opens the one that it needs. */
import type { ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { texts } from '../texts/texts.ts';

export type Desk = 'parts' | 'identity' | 'fraud' | 'payments' | 'calls' | 'recovery';
const DESKS: readonly Desk[] = ['parts', 'identity', 'fraud', 'payments', 'calls', 'recovery'];

export interface DesksProps {
  readonly desk: Desk;
  readonly onDesk: (desk: Desk) => void;
  readonly content: Readonly<Record<Desk, ReactNode>>;
}

export function Desks({ desk, onDesk, content }: DesksProps) {
  const { desks } = texts.behind;
  return (
    <Tabs
      className="desks"
      selectedKey={desk}
      onSelectionChange={(key) => {
        onDesk(DESKS.find((name) => name === key) ?? 'parts');
      }}
    >
      <TabList className="desk-tabs" aria-label={desks.label}>
        {DESKS.map((name) => (
          <Tab key={name} id={name} className="desk-tab">
            {desks[name]}
          </Tab>
        ))}
      </TabList>
      {DESKS.map((name) => (
        <TabPanel key={name} id={name}>
          {content[name]}
        </TabPanel>
      ))}
    </Tabs>
  );
}
