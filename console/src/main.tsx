import './lib/nonce';
import './styles.css';

import { createRoot } from 'react-dom/client';

import { Root } from './shell/Root';

const root = document.getElementById('root');
if (root) createRoot(root).render(<Root />);
