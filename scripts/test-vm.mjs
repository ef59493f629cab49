#!/usr/bin/env node
/**
 * `npm run test:vm`: the tests on an emulated arm64 computer with a kernel and systemd of its own (tests/devices/vm-device.ts).
 *
 * As root on Debian and Ubuntu it installs what is missing and makes the machine's disk, once (six minutes, 0.4 GB in the cache). Where
 * that cannot be done the last line is `skipped: why`, and the exit code 0. Otherwise it is vitest's.
 */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { projectRoot } from './setup/project-paths.mjs'
import { runOptionalTests } from './setup/run-optional-tests.mjs'
import { printSetupError } from './setup/setup-error.mjs'
import { missingBoardParts, missingVirtualMachineParts } from './setup/system-parts.mjs'

/** @returns {Promise<string | null>} why it cannot be run here; null when the machine is ready to start */
async function prepare() {
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

try {
  process.exitCode = await runOptionalTests({
    script: fileURLToPath(import.meta.url),
    config: 'vitest.vm.config.ts',
    missingParts: () => [...missingBoardParts(), ...missingVirtualMachineParts()],
    prepare,
  })
} catch (error) {
  process.exitCode = printSetupError(error)
}
