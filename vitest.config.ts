import { defineConfig } from 'vitest/config'

// Unit and integration tests. Playwright owns tests/e2e, vitest.vm.config.ts tests/vm, vitest.containers.config.ts tests/containers.
export default defineConfig({
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    exclude: ['tests/e2e/**', 'tests/vm/**', 'tests/containers/**', 'node_modules/**'],
    // Native modules (ONNX Runtime, SQLite) are loaded by tests: processes, never worker threads.
    pool: 'forks',
    // The reference machine has two cores, and many tests start child processes of their own.
    maxWorkers: 2,
    // Tests that use ONNX Runtime directly must not leave its usage database in the home directory (src/engine/runtimes/no-telemetry.ts).
    env: { ORT_DISABLE_TELEMETRY: '1' },
    setupFiles: ['tests/fuzz-seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
