// First, so that every rule of the page's own comes later and wins.
import '@mantine/core/styles.css';

import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import './app/app.css';

createRoot(document.getElementById('root')!).render(<App />);
