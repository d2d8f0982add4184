/**
 * Unit tests: the real packages of JupyterLab, in jsdom.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The catalogues of translations and frameworks belong to the Python package.
  server: { fs: { allow: ['..'] } },
  test: {
    environment: 'jsdom',
    include: ['src/__tests__/**/*.spec.{ts,tsx}'],
    setupFiles: ['src/__tests__/setup.ts'],
    css: false,
    restoreMocks: true,
    // They import each other without file extensions, which node refuses; vite resolves them.
    server: { deps: { inline: [/@jupyterlab\//, /@lumino\//, /@jupyter\//] } }
  }
});
