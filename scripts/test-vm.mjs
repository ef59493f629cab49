#!/usr/bin/env node
/**
 * `npm run test:vm`: the tests on an emulated arm64 computer with a kernel and systemd of its own (tests/devices/vm-device.ts).
 *
 * As root on Debian and Ubuntu it installs what is missing and makes the machine's disk, once (six minutes, 0.4 GB in the cache). Where
 * that cannot be done the last line is `skipped: why`, and the exit code 0. Otherwise it is vitest's.
 */
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { ensureBuilt } from './build.mjs'
import { projectRoot } from './setup/project-paths.mjs'
import { packageProgram, programEnvironment, runProgram } from './setup/run-program.mjs'
import { printSetupError } from './setup/setup-error.mjs'
import { installOptionalParts } from './setup/system-packages.mjs'
import { missingBoardParts, missingVirtualMachineParts } from './setup/system-parts.mjs'

/** @returns {Promise<string | null>} why it cannot be run here; null when the machine is ready to start */
async function prepare() {
  // TypeScript, which only the project's own Node runs as it is.
  const image = await import(pathToFileURL(join(projectRoot, 'tests', 'devices', 'vm-image.ts')).href)
  const problem = image.vmProblem()
  if (problem !== null) return problem
  try {
    await image.ensureVmImage()
    return null
  } catch (error) {
    return `the machine could not be made: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** @returns {Promise<number>} */
async function testVm() {
  const { node } = await bootstrap('cli')
  const environment = { cwd: projectRoot, env: programEnvironment(projectRoot, node.path) }
  if (realpathSync(process.execPath) !== realpathSync(node.path))
    return runProgram(node.path, ['--no-warnings', fileURLToPath(import.meta.url), ...process.argv.slice(2)], environment)
  await installOptionalParts([...missingBoardParts(), ...missingVirtualMachineParts()])
  const problem = await prepare()
  if (problem !== null) {
    console.log(`skipped: ${problem}`)
    return 0
  }
  await ensureBuilt(node.path)
  const vitest = packageProgram(projectRoot, 'vitest', 'vitest')
  return runProgram(node.path, [vitest, 'run', '--config', 'vitest.vm.config.ts', ...process.argv.slice(2)], environment)
}

try {
  process.exitCode = await testVm()
} catch (error) {
  process.exitCode = printSetupError(error)
}
