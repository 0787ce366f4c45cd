/** The way in: who I am, and then the place that the address names. It shows what the door answers and keeps nothing. */
import { useCallback, useEffect, useEffectEvent, useMemo, useState } from 'react';
import { Banner, Button, Spinner } from '../parts/parts.tsx';
import { here, loginAddress, readDoor, readMe } from './door.ts';
import type { Door, Me } from './door.ts';
import { placeOf, usePath } from './address.ts';
import { Bar, Wordmark } from './bar.tsx';
import { ApprovalsPage } from './approvals/approvals-page.tsx';
import { CallPage } from './calls/call-page.tsx';
import { consoleTexts } from './console-texts.ts';
import { CustomerPage } from './customers/customer-page.tsx';
import { FindPage } from './customers/find-page.tsx';
import { Desk } from './desk.tsx';
import { Link } from './link.tsx';
import { AuditPage } from './reading/audit-page.tsx';
import { WorksNowPage } from './reading/works-now-page.tsx';
import { CasePage } from './recoveries/case-page.tsx';
import { QueuePage } from './recoveries/queue-page.tsx';
import { createStaffApi } from './staff-api.ts';
import { texts } from './texts.ts';

type Standing =
  | { readonly kind: 'loading' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'out'; readonly door: Door; readonly why?: 'logged-out' | 'lost' }
  | { readonly kind: 'in'; readonly door: Door; readonly me: Me };

/** A door that does not answer is asked again without anybody pressing anything. */
const LOOK_AGAIN_MS = 3_000;
/** A session that ended, or roles that changed, show at the latest then, whatever the page asks for itself. */
const WHO_EVERY_MS = 30_000;

async function standingNow(): Promise<Standing> {
  const door = await readDoor();
  if (door.kind !== 'answered') return { kind: 'silent' };
  const me = await readMe(door.value.tenants);
  if (me.kind === 'answered') return { kind: 'in', door: door.value, me: me.value };
  return me.kind === 'logged-out' ? { kind: 'out', door: door.value } : { kind: 'silent' };
}

export function Landing() {
  const [standing, setStanding] = useState<Standing>({ kind: 'loading' });
  const look = useCallback(() => {
    void standingNow().then(setStanding);
  }, []);
  useEffect(look, [look]);
  const isSilent = standing.kind === 'silent';
  useEffect(() => {
    if (!isSilent) return undefined;
    const timer = setInterval(look, LOOK_AGAIN_MS);
    return () => {
      clearInterval(timer);
    };
  }, [isSilent, look]);

  if (standing.kind === 'loading') {
    return (
      <main className="gate" aria-busy="true">
        <p className="quiet">
          <Spinner /> {texts.loading}
        </p>
      </main>
    );
  }
  if (standing.kind === 'silent') {
    return (
      <main className="gate">
        <div className="card">
          <h1>{texts.silent.title}</h1>
          <p className="quiet">{texts.silent.text}</p>
          <Button kind="primary" onPress={look}>
            {texts.refresh}
          </Button>
        </div>
      </main>
    );
  }
  if (standing.kind === 'out') return <Welcome door={standing.door} why={standing.why} />;
  return (
    <LoggedIn
      standing={standing}
      onMe={(me) => {
        setStanding((before) => (before.kind === 'in' ? { ...before, me } : before));
      }}
      onOut={(why) => {
        // An answer that was under way changes nothing for whoever has logged out.
        setStanding((before) =>
          before.kind === 'in' ? { kind: 'out', door: before.door, why } : before,
        );
      }}
    />
  );
}

/** As long as the door says so, which is asked again and again: what stood on the screen of a session that ended is taken away. */
function LoggedIn({
  standing: { door, me },
  onMe,
  onOut,
}: {
  readonly standing: Extract<Standing, { readonly kind: 'in' }>;
  readonly onMe: (me: Me) => void;
  readonly onOut: (why: 'logged-out' | 'lost') => void;
}) {
  const look = () => {
    void readMe([me.tenant.slug]).then((now) => {
      if (now.kind === 'logged-out') onOut('lost');
      // The same person is drawn once: a page keeps what stands in its fields.
      else if (now.kind === 'answered' && JSON.stringify(now.value) !== JSON.stringify(me))
        onMe(now.value);
    });
  };
  const lookOnTime = useEffectEvent(look);
  useEffect(() => {
    const timer = setInterval(() => {
      lookOnTime();
    }, WHO_EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return (
    <>
      <Bar me={me} onLeft={() => onOut('logged-out')} />
      <Inside door={door} me={me} onLost={() => onOut('lost')} onRefused={look} />
    </>
  );
}

interface InsideProps {
  readonly door: Door;
  readonly me: Me;
  readonly onLost: () => void;
  readonly onRefused: () => void;
}

function Inside({ door, me, onLost, onRefused }: InsideProps) {
  const { slug } = me.tenant;
  const api = useMemo(() => createStaffApi(slug), [slug]);
  const place = placeOf(usePath());
  const page = { api, me, onLost, onRefused };
  switch (place?.kind) {
    case 'home':
    case 'runbook':
      return <Desk door={door} me={me} onLost={onLost} />;
    case 'customers':
      return (
        <main className="page">
          <FindPage {...page} />
        </main>
      );
    case 'customer':
      return (
        <main>
          <CustomerPage key={place.customerId} {...page} customerId={place.customerId} />
        </main>
      );
    case 'call':
      return (
        <main className="page">
          <CallPage key={place.customerId} {...page} customerId={place.customerId} />
        </main>
      );
    case 'recoveries':
      return (
        <main className="page-wide">
          <QueuePage {...page} />
        </main>
      );
    case 'recovery':
      return (
        <main>
          <CasePage key={place.recoveryId} {...page} recoveryId={place.recoveryId} />
        </main>
      );
    case 'audit':
      return (
        <main className="page-wide">
          <AuditPage {...page} />
        </main>
      );
    case 'works-now':
      return (
        <main className="page">
          <WorksNowPage {...page} />
        </main>
      );
    case 'approvals':
      return (
        <main className="page">
          <ApprovalsPage {...page} />
        </main>
      );
    case undefined:
      return <Nowhere />;
  }
}

function Nowhere() {
  const { unknownPlace } = consoleTexts;
  return (
    <main className="page">
      <section className="card">
        <h1>{unknownPlace.title}</h1>
        <p className="quiet">{unknownPlace.text}</p>
        <Link to="/customers" kind="primary">
          {unknownPlace.back}
        </Link>
      </section>
    </main>
  );
}

function Welcome({
  door,
  why,
}: {
  readonly door: Door;
  readonly why: 'logged-out' | 'lost' | undefined;
}) {
  const { welcome } = texts;
  const isOne = door.tenants.length === 1;
  return (
    <main className="gate">
      <div className="card">
        <Wordmark />
        <h1>{welcome.title}</h1>
        {why === 'logged-out' && <Banner tone="good">{welcome.loggedOut}</Banner>}
        {why === 'lost' && <Banner tone="wait">{welcome.lost}</Banner>}
        <p className="quiet">{door.tenants.length === 0 ? welcome.nobody : welcome.text}</p>
        {door.tenants.map((tenant) => (
          <a
            key={tenant}
            className="button"
            data-kind="primary"
            href={loginAddress(tenant, here())}
          >
            {isOne ? welcome.logIn : `${welcome.logIn}: ${tenant}`}
          </a>
        ))}
      </div>
    </main>
  );
}
