import { defineConfig } from 'vitest/config'

// Tests in containers, started by scripts/test-containers.mjs.
export default defineConfig({
  test: {
    include: ['tests/containers/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // Base images are made the first time.
    testTimeout: 600_000,
    hookTimeout: 1_800_000,
  },
})
