import { defineConfig } from 'vitest/config'

// Tests on a virtual machine, started by scripts/test-vm.mjs.
export default defineConfig({
  test: {
    include: ['tests/vm/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // Everything is emulated, the encryption of the connection too (1.5 MB/s).
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
})
