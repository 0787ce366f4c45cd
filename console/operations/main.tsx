/** Starts the console of staff: the runbook, which anybody may read, and behind a login everything else. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Landing } from './landing.tsx';
import { watchPresence } from './presence.ts';
import { Runbook } from './runbook.tsx';
import '../tokens.css';
import '../styles/base.css';
import '../styles/parts.css';
import './operations.css';
import './console.css';
import './reading/reading.css';
import './recoveries/recoveries.css';

const place = document.getElementById('operations');
if (place === null) throw new Error('index.html has no place for the page');
watchPresence();
const isRunbook = window.location.pathname === '/runbook';
createRoot(place).render(<StrictMode>{isRunbook ? <Runbook /> : <Landing />}</StrictMode>);
