/** Starts the operations page: the landing at `/`, the runbook at `/runbook`. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Landing } from './landing.tsx';
import { Runbook } from './runbook.tsx';
import '../tokens.css';
import '../styles/base.css';
import '../styles/parts.css';
import './operations.css';

const place = document.getElementById('operations');
if (place === null) throw new Error('index.html has no place for the page');
const isRunbook = window.location.pathname === '/runbook';
createRoot(place).render(<StrictMode>{isRunbook ? <Runbook /> : <Landing />}</StrictMode>);
