import { realpathSync } from 'node:fs'
import { bootstrap } from '../bootstrap.mjs'
import { ensureBuilt } from '../build.mjs'
import { projectRoot } from './project-paths.mjs'
import { packageProgram, programEnvironment, runProgram } from './run-program.mjs'
import { installOptionalParts } from './system-packages.mjs'

/**
 * @typedef {object} OptionalTests
 * @property {string} script absolute path of the program that was started
 * @property {string} config vitest's configuration
 * @property {() => import('./system-parts.mjs').SystemPart[]} missingParts
 * @property {() => Promise<string | null>} prepare makes what the tests need; answers why they cannot run here, null when they can.
 *   Runs in the project's own Node, which reads TypeScript as it is
 */

/**
 * Tests that are not part of `npm test`, because what they need cannot be had everywhere. Installs what is missing where it can; where the tests cannot run
 * the last line is `skipped: why`.
 * @param {OptionalTests} tests
 * @returns {Promise<number>} the exit code: vitest's, or 0 where they cannot run
 */
export async function runOptionalTests({ script, config, missingParts, prepare }) {
  const { node } = await bootstrap('cli')
  const environment = { cwd: projectRoot, env: programEnvironment(projectRoot, node.path) }
  const args = process.argv.slice(2)
  if (realpathSync(process.execPath) !== realpathSync(node.path))
    return runProgram(node.path, ['--no-warnings', script, ...args], environment)
  await installOptionalParts(missingParts())
  const problem = await prepare()
  if (problem !== null) {
    console.log(`skipped: ${problem}`)
    return 0
  }
  await ensureBuilt(node.path)
  const vitest = packageProgram(projectRoot, 'vitest', 'vitest')
  return runProgram(node.path, [vitest, 'run', '--config', config, ...args], environment)
}
