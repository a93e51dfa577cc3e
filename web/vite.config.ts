import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where the pages of `npx vite web` find a running Weir. */
const server = process.env.WEIR_URL ?? 'http://127.0.0.1:8090';

export default defineConfig({
  root: import.meta.dirname,
  base: '/ui/',
  plugins: [react()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: false,
    // Few pieces, the page, its editor, ingestion: served once, from this machine, then cached.
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { '/v1': server } },
});
