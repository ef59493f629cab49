#!/usr/bin/env node
/**
 * `npm test`: sets up what is missing, builds what changed, and runs every check there is, all of them even when one fails.
 *
 *     npm test                              everything
 *     npm test -- --only=unit,e2e           some of: types, style, dead-code, unit, e2e
 *     npm test -- tests/core -t histogram   vitest's own arguments; runs unit only
 *
 * The last line of stdout is `N passed, N failed` (and `, N skipped` if any). Types, style and dead code count as one test each. Exit code 1
 * when anything failed, or when nothing ran.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootstrap } from './bootstrap.mjs'
import { ensureBuilt } from './build.mjs'
import { projectRoot } from './setup/project-paths.mjs'
import { packageProgram, programEnvironment, runProgram } from './setup/run-program.mjs'
import { printSetupError, SetupError } from './setup/setup-error.mjs'
import { countsLine, playwrightCounts, sumCounts, vitestCounts } from './setup/test-counts.mjs'
import { startVirtualDisplay } from './setup/virtual-display.mjs'

/** @typedef {import('./setup/test-counts.mjs').Counts} Counts */
/** @typedef {{ node: string, env: NodeJS.ProcessEnv, results: string, vitestArgs: string[] }} TestRun */

/** @type {Record<string, (run: TestRun) => Promise<Counts>>} */
const steps = {
  types: (run) => check(run, 'typescript', 'tsc', ['-b']),
  style: (run) => check(run, '@biomejs/biome', 'biome', ['ci', '--error-on-warnings', ...(process.stdout.isTTY ? [] : ['--colors=off'])]),
  'dead-code': (run) => check(run, 'knip', 'knip', []),
  unit: runVitest,
  e2e: runPlaywright,
}
const stepsThatRunTheProgram = ['unit', 'e2e']

/**
 * A tool that only says yes or no: one test.
 * @param {TestRun} run
 * @param {string} packageName
 * @param {string} binName
 * @param {string[]} args
 * @returns {Promise<Counts>}
 */
async function check({ node, env }, packageName, binName, args) {
  const program = packageProgram(projectRoot, packageName, binName)
  const exitCode = await runProgram(node, [program, ...args], { cwd: projectRoot, env })
  return { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 }
}

/**
 * @param {TestRun} run
 * @returns {Promise<Counts>}
 */
async function runVitest({ node, env, results, vitestArgs }) {
  const report = join(results, 'vitest.json')
  const program = packageProgram(projectRoot, 'vitest', 'vitest')
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...vitestArgs]
  return vitestCounts(report, await runProgram(node, [program, ...args], { cwd: projectRoot, env }))
}

/**
 * @param {TestRun} run
 * @returns {Promise<Counts>}
 */
async function runPlaywright({ node, env, results }) {
  const program = packageProgram(projectRoot, '@playwright/test', 'playwright')
  const display = process.platform === 'linux' && !env.DISPLAY ? await startVirtualDisplay() : undefined
  try {
    const exitCode = await runProgram(node, [program, 'test'], {
      cwd: projectRoot,
      env: { ...env, ...display?.env, EDGESMITH_TEST_RESULTS: results },
    })
    return playwrightCounts(join(results, 'playwright.json'), exitCode)
  } finally {
    await display?.stop()
  }
}

/**
 * Runs one step under a heading, and says how it went and how long it took.
 * @param {string} name
 * @param {() => Promise<Counts>} work
 * @returns {Promise<Counts>}
 */
async function runStep(name, work) {
  console.log(`\n── ${name} ${'─'.repeat(60 - name.length)}`)
  const startedAt = performance.now()
  /** @type {Counts} */
  let counts
  try {
    counts = await work()
  } catch (error) {
    printSetupError(error)
    counts = { passed: 0, failed: 1, skipped: 0 }
  }
  console.log(`${name}: ${countsLine(counts)} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  return counts
}

/**
 * @param {string[]} args
 * @returns {{ chosen: string[], vitestArgs: string[] }}
 */
function parseArguments(args) {
  const only = args.find((argument) => argument.startsWith('--only='))?.slice('--only='.length)
  const vitestArgs = args.filter((argument) => !argument.startsWith('--only='))
  const chosen = only?.split(',') ?? (vitestArgs.length > 0 ? ['unit'] : Object.keys(steps))
  const unknown = chosen.find((name) => !steps[name])
  if (unknown !== undefined)
    throw new SetupError('WRONG_USAGE', `There is no test step called "${unknown}"`, `Steps: ${Object.keys(steps).join(', ')}`)
  return { chosen: Object.keys(steps).filter((name) => chosen.includes(name)), vitestArgs }
}

/**
 * @param {string[]} args
 * @returns {Promise<Counts>}
 */
async function test(args) {
  const { chosen, vitestArgs } = parseArguments(args)
  const runsProgram = chosen.some((name) => stepsThatRunTheProgram.includes(name))
  const { node } = await bootstrap(runsProgram ? 'test' : 'cli')
  const results = mkdtempSync(join(tmpdir(), 'edgesmith-test-'))
  const run = { node: node.path, env: programEnvironment(projectRoot, node.path), results, vitestArgs }
  /** @type {Counts[]} */
  const parts = []
  let interrupted = false
  let keepResults = false
  const noteInterruption = () => {
    interrupted = true
  }
  process.on('SIGINT', noteInterruption)
  process.on('SIGTERM', noteInterruption)
  try {
    let runnable = chosen
    if (runsProgram) {
      const built = await ensureBuilt(node.path).catch(printSetupError)
      if (built === 1) {
        // Types and style may show why.
        parts.push({ passed: 0, failed: 1, skipped: 0 })
        runnable = chosen.filter((name) => !stepsThatRunTheProgram.includes(name))
      }
    }
    for (const name of runnable) {
      const step = steps[name]
      if (!step || interrupted) continue
      const counts = await runStep(name, () => step(run))
      parts.push(counts)
      keepResults ||= name === 'e2e' && counts.failed > 0
    }
  } finally {
    // Playwright leaves traces and screenshots of failures there.
    if (keepResults) console.log(`\nResults are kept in ${results}`)
    else rmSync(results, { recursive: true, force: true })
  }
  if (interrupted) parts.push({ passed: 0, failed: 1, skipped: 0 })
  return sumCounts(parts)
}

/** @type {Counts} */
let total
try {
  total = await test(process.argv.slice(2))
} catch (error) {
  printSetupError(error)
  total = { passed: 0, failed: 1, skipped: 0 }
}
console.log(`\n${countsLine(total)}`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
