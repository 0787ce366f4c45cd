/** The three panes side by side where there is room, else as tabs over the same three. */
import { useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { texts } from '../texts/texts.ts';

export type Pane = 'phone' | 'behind' | 'inbox';
const PANES: readonly Pane[] = ['phone', 'behind', 'inbox'];
const WIDE = matchMedia('(min-width: 1080px)');

export interface PanesProps {
  readonly pane: Pane;
  readonly onPane: (pane: Pane) => void;
  readonly unread: number;
  /** Marks the tab behind which it can be mended. */
  readonly isBroken: boolean;
  readonly content: Readonly<Record<Pane, ReactNode>>;
}

export function Panes({ pane, onPane, unread, isBroken, content }: PanesProps) {
  const { panes } = texts.stage;
  const isWide = useSyncExternalStore(subscribeToWidth, () => WIDE.matches);
  if (isWide) {
    return (
      <main className="panes">
        {PANES.map((name) => (
          <section
            key={name}
            className="pane"
            data-pane={name}
            aria-label={panes[name]}
            // What scrolls must be reachable by keyboard; the phone's screen has its own controls.
            tabIndex={name === 'phone' ? undefined : 0}
          >
            {name !== 'phone' && <h2 className="pane-title">{panes[name]}</h2>}
            {content[name]}
          </section>
        ))}
      </main>
    );
  }
  return (
    <main className="tabbed">
      <Tabs
        selectedKey={pane}
        onSelectionChange={(key) => {
          onPane(PANES.find((name) => name === key) ?? 'phone');
        }}
      >
        <TabList className="tabs" aria-label={texts.stage.subtitle}>
          {PANES.map((name) => (
            <Tab key={name} id={name} className="tab">
              {panes[name]}
              {name === 'behind' && isBroken && (
                <span className="badge" data-tone="wait" title={texts.parts.outage.badge}>
                  !<span className="hidden">{texts.parts.outage.badge}</span>
                </span>
              )}
              {name === 'inbox' && unread > 0 && <span className="badge">{unread}</span>}
            </Tab>
          ))}
        </TabList>
        {PANES.map((name) => (
          <TabPanel key={name} id={name} className="pane" data-pane={name} shouldForceMount>
            {content[name]}
          </TabPanel>
        ))}
      </Tabs>
    </main>
  );
}

function subscribeToWidth(listener: () => void): () => void {
  WIDE.addEventListener('change', listener);
  return () => {
    WIDE.removeEventListener('change', listener);
  };
}
