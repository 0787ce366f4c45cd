/** The bar above every page of whoever is logged in: the places that this person has, and the way out. */
import { useState } from 'react';
import { Icon } from '../parts/icons.tsx';
import { Banner, Button } from '../parts/parts.tsx';
import { placeOf, usePath } from './address.ts';
import type { Place } from './address.ts';
import { consoleTexts } from './console-texts.ts';
import { logOut } from './door.ts';
import type { Me } from './door.ts';
import { Link } from './link.tsx';
import { readingTexts } from './reading/reading-texts.ts';
import { recoveryTexts } from './recoveries/recovery-texts.ts';
import { texts } from './texts.ts';

export function Bar({ me, onLeft }: { readonly me: Me; readonly onLeft: () => void }) {
  const [isLeaving, setIsLeaving] = useState(false);
  const [hasFailed, setHasFailed] = useState(false);
  const leave = async () => {
    setIsLeaving(true);
    const hasLeft = await logOut(me.tenant.slug);
    setIsLeaving(false);
    setHasFailed(!hasLeft);
    if (hasLeft) onLeft();
  };
  return (
    <header className="bar">
      <Wordmark />
      <span className="bar-tenant">{me.tenant.name}</span>
      <Places me={me} />
      <nav className="bar-end" aria-label={texts.you}>
        <a href="/runbook">{texts.runbook}</a>
        <span className="bar-name">{me.name}</span>
        <Button size="dense" icon="out" isBusy={isLeaving} onPress={() => void leave()}>
          {texts.logOut}
        </Button>
      </nav>
      {hasFailed && <Banner tone="danger">{texts.logOutFailed}</Banner>}
    </header>
  );
}

const isServing: ReadonlySet<Place['kind']> = new Set(['customers', 'customer', 'call']);

function Places({ me }: { readonly me: Me }) {
  const { nav } = consoleTexts;
  const here = placeOf(usePath())?.kind;
  const serves = me.roles.includes('agent') || me.roles.includes('supervisor');
  return (
    <nav className="places" aria-label={nav.label}>
      <Link to="/" isHere={here === 'home'}>
        {nav.home}
      </Link>
      {serves && (
        <Link to="/customers" isHere={here !== undefined && isServing.has(here)}>
          {nav.customers}
        </Link>
      )}
      {(serves || me.roles.includes('auditor')) && (
        <>
          <Link to="/recoveries" isHere={here === 'recoveries' || here === 'recovery'}>
            {recoveryTexts.nav}
          </Link>
          <Link to="/approvals" isHere={here === 'approvals'}>
            {nav.approvals}
          </Link>
        </>
      )}
      {me.roles.includes('auditor') && (
        <Link to="/audit" isHere={here === 'audit'}>
          {readingTexts.audit.nav}
        </Link>
      )}
      <Link to="/works-now" isHere={here === 'works-now'}>
        {readingTexts.works.nav}
      </Link>
    </nav>
  );
}

export function Wordmark() {
  return (
    <p className="mark">
      <span className="mark-key" aria-hidden="true">
        <Icon name="key" size={18} />
      </span>
      <strong>{texts.title}</strong> <span className="mark-of">{texts.subtitle}</span>
    </p>
  );
}
