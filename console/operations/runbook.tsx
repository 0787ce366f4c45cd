/** What each workflow is, what it may wait for, and what to do when it does not go on. Temporal's UI links here; it needs no login and names nobody. */
import { useEffect } from 'react';
import { Wordmark } from './bar.tsx';
import { RUNBOOK } from './runbook-texts.ts';

export function Runbook() {
  const here = window.location.hash.slice(1);
  // The browser looked for the chapter before it was there.
  useEffect(() => {
    document.getElementById(here)?.scrollIntoView();
  }, [here]);
  return (
    <>
      <header className="bar">
        <Wordmark />
        <nav className="bar-end">
          <a href="/">{RUNBOOK.back}</a>
        </nav>
      </header>
      <main className="book">
        <h1>{RUNBOOK.title}</h1>
        <p className="quiet">{RUNBOOK.text}</p>
        {RUNBOOK.chapters.map((chapter) => (
          <section
            key={chapter.id}
            id={chapter.id}
            className="card"
            data-here={chapter.id === here}
          >
            <h2>{chapter.title}</h2>
            <p>{chapter.text}</p>
            <dl>
              {chapter.cases.map(({ sign, action }) => (
                <div key={sign}>
                  <dt>{sign}</dt>
                  <dd>{action}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </main>
    </>
  );
}
