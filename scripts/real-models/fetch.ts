#!/usr/bin/env node
// Fetches the real models that tests and benchmarks use, and prints where they lie. Tests call the same function themselves.
//
//   node scripts/real-models/fetch.ts
import { printSetupError } from '../setup/setup-error.mjs'
import { ensureRealModels } from './real-models.ts'

try {
  for (const [name, path] of Object.entries(await ensureRealModels())) console.log(`${name}: ${path}`)
} catch (error) {
  process.exitCode = printSetupError(error)
}
