/** Starts the stage: finds its control, builds the phone and shows the three panes. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { StageLoader } from './stage/stage-loader.tsx';
import './tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/stage.css';
import './styles/phone.css';
import './styles/home.css';
import './styles/approval.css';
import './styles/behind.css';
import './styles/break.css';
import './styles/bank-desks.css';
import './styles/inbox.css';
import './styles/recovery.css';

const place = document.getElementById('stage');
if (place === null) throw new Error('index.html has no place for the stage');
createRoot(place).render(
  <StrictMode>
    <StageLoader />
  </StrictMode>,
);
