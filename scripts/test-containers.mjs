#!/usr/bin/env node
/**
 * `npm run test:containers`: builds and runs exported images, the composition and the manifests with Podman (tests/containers).
 *
 * As root on Debian it installs what is missing. Base images are made of Debian's packages, once (some minutes, 0.7 GB in the cache). Where
 * containers cannot be run the last line is `skipped: why`, and the exit code 0. Otherwise it is vitest's.
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
import { missingContainerParts } from './setup/system-parts.mjs'

/** @returns {Promise<number>} */
async function testContainers() {
  const { node } = await bootstrap('cli')
  const environment = { cwd: projectRoot, env: programEnvironment(projectRoot, node.path) }
  if (realpathSync(process.execPath) !== realpathSync(node.path))
    return runProgram(node.path, ['--no-warnings', fileURLToPath(import.meta.url), ...process.argv.slice(2)], environment)
  await installOptionalParts(missingContainerParts())
  // TypeScript, which only the project's own Node runs as it is.
  const engine = await import(pathToFileURL(join(projectRoot, 'tests', 'containers', 'container-engine.ts')).href)
  const problem = engine.containerProblem()
  if (problem !== null) {
    console.log(`skipped: ${problem}`)
    return 0
  }
  await ensureBuilt(node.path)
  const vitest = packageProgram(projectRoot, 'vitest', 'vitest')
  return runProgram(node.path, [vitest, 'run', '--config', 'vitest.containers.config.ts', ...process.argv.slice(2)], environment)
}

try {
  process.exitCode = await testContainers()
} catch (error) {
  process.exitCode = printSetupError(error)
}
