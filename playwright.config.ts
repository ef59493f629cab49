import { defineConfig } from '@playwright/test'

// One real Electron at a time. scripts/test.mjs names the report file; run by hand, it lands beside the traces.
const resultsDirectory = process.env.EDGESMITH_TEST_RESULTS ?? '.test-results'

export default defineConfig({
  testDir: 'tests/e2e',
  testMatch: '**/*.spec.ts',
  workers: 1,
  // The whole main job, real training data and a real SSH server included, is one test.
  timeout: 600_000,
  outputDir: `${resultsDirectory}/playwright`,
  reporter: [['list'], ['json', { outputFile: `${resultsDirectory}/playwright.json` }]],
})
