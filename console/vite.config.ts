import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// While developing, `npm run dev` serves the sources and hands calls on to a box (AIBOX_URL, default that of `make run`).
const box = process.env.AIBOX_URL ?? 'http://127.0.0.1:5555';
const calls = ['/api', '/SophonFogSys', '/SophonFace', '/SophonMatch', '/SophonDevice', '/SophonMQ', '/openapi.json', '/healthz', '/readyz', '/metrics'];

export default defineConfig({
  plugins: [react()],
  html: { cspNonce: 'AIBOX-NONCE' },
  build: {
    target: 'es2021',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: Object.fromEntries(calls.map((path) => [path, { target: box, changeOrigin: true }])) },
});
