#!/usr/bin/env node
/**
 * `npm run doctor [-- --json]`: what is installed and what is missing, without changing anything. Exit code 1 when something is missing.
 */
import { runChecks } from './doctor-checks.mjs'

const marks = { ok: 'ok', warning: 'warning', missing: 'MISSING' }

const checks = await runChecks()
if (process.argv.includes('--json')) {
  console.log(JSON.stringify(checks, null, 2))
} else {
  const widest = Math.max(...checks.map((check) => check.name.length))
  const indent = ' '.repeat(widest + 11)
  for (const { name, status, found, needed, fix } of checks) {
    console.log(`${name.padEnd(widest)}  ${marks[status].padEnd(8)} ${found}`)
    if (status !== 'ok') console.log(`${indent}needed: ${needed}`)
    if (fix) console.log(`${indent}to fix: ${fix}`)
  }
}
process.exitCode = checks.some((check) => check.status === 'missing') ? 1 : 0
