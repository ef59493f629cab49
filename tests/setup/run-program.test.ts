import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageProgram, programEnvironment, runProgram } from '../../scripts/setup/run-program.mjs'
import { countsLine, playwrightCounts, sumCounts, vitestCounts } from '../../scripts/setup/test-counts.mjs'
import { temporaryFolder, writeFiles } from './temporary-folder.ts'

test.each([
  ['process.exit(3)', 3],
  ['process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 10_000)', 143],
])('the exit code of %j is %i', async (script, expected) => {
  const folder = temporaryFolder()
  expect(await runProgram(process.execPath, ['-e', script], { cwd: folder, env: process.env })).toBe(expected)
})

test("programs find the project's Node first, once", () => {
  const bin = join('/project', 'node_modules', '.bin')
  const env = programEnvironment('/project', '/node', { PATH: ['/usr/bin', bin].join(process.platform === 'win32' ? ';' : ':') })
  expect(env.PATH?.split(process.platform === 'win32' ? ';' : ':')).toEqual([bin, '/usr/bin'])
  expect(env.EDGESMITH_NODE).toBe('/node')
})

test('finds the script behind a command', () => {
  const root = temporaryFolder()
  writeFiles(root, { 'node_modules/a/package.json': { bin: { tool: 'bin/tool.js' } }, 'node_modules/b/package.json': { bin: './b.js' } })
  expect(packageProgram(root, 'a', 'tool')).toBe(join(root, 'node_modules/a/bin/tool.js'))
  expect(packageProgram(root, 'b', 'b')).toBe(join(root, 'node_modules/b/b.js'))
})

test('counts what vitest reports, a file that cannot be loaded included', () => {
  const root = temporaryFolder()
  const testResults = [
    { status: 'failed', assertionResults: [] },
    { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] },
  ]
  writeFiles(root, { 'report.json': { numPassedTests: 10, numFailedTests: 1, numPendingTests: 1, numTodoTests: 1, testResults } })
  expect(vitestCounts(join(root, 'report.json'), 1)).toEqual({ passed: 10, failed: 2, skipped: 2 })
})

test('a runner that failed without a failed test counts as one failure', () => {
  const root = temporaryFolder()
  writeFiles(root, {
    'vitest.json': { numPassedTests: 10, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] },
    'playwright.json': { stats: { expected: 0, unexpected: 0, flaky: 0, skipped: 0 } },
  })
  expect(vitestCounts(join(root, 'vitest.json'), 1)).toEqual({ passed: 10, failed: 1, skipped: 0 })
  expect(playwrightCounts(join(root, 'playwright.json'), 1)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  expect(vitestCounts(join(root, 'nothing.json'), 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  expect(playwrightCounts(join(root, 'nothing.json'), 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('counts what Playwright reports; a flaky test passed in the end', () => {
  const root = temporaryFolder()
  writeFiles(root, { 'playwright.json': { stats: { expected: 3, unexpected: 1, flaky: 1, skipped: 2 } } })
  expect(playwrightCounts(join(root, 'playwright.json'), 1)).toEqual({ passed: 4, failed: 1, skipped: 2 })
})

test('the last line', () => {
  const sum = sumCounts([
    { passed: 1, failed: 0, skipped: 0 },
    { passed: 2, failed: 3, skipped: 0 },
  ])
  expect(countsLine(sum)).toBe('3 passed, 3 failed')
  expect(countsLine({ ...sum, skipped: 4 })).toBe('3 passed, 3 failed, 4 skipped')
})
