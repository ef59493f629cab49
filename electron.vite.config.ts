import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

// Bundles for Electron (main, preload, renderer) and for Node 22 (backend, engine, cli). npm dependencies stay outside the Node bundles,
// which is electron-vite's default for main and preload. The device's agent is bundled by scripts/setup/agent-bundle.mjs.

// The oldest runtimes in use: Node 20 and Chromium 130 are those of the stand-in Electron (scripts/setup/electron-fallback.mjs).
const nodeTarget = 'node20'
const chromiumTarget = 'chrome130'

export default defineConfig({
  main: {
    build: {
      target: nodeTarget,
      rollupOptions: {
        input: {
          index: 'src/main/index.ts',
          backend: 'src/backend/backend-entry.ts',
          engine: 'src/engine/engine-entry.ts',
          cli: 'src/cli/cli-entry.ts',
        },
      },
    },
  },
  preload: {
    build: {
      target: nodeTarget,
      // A sandboxed preload can only be CommonJS in one file, and may not require npm packages.
      externalizeDeps: false,
      rollupOptions: {
        input: { index: 'src/preload/index.ts' },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'src/renderer',
    plugins: [react()],
    build: { target: chromiumTarget, rollupOptions: { input: 'src/renderer/index.html' } },
  },
})
