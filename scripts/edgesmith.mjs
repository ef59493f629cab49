#!/usr/bin/env node
/**
 * The command line in a clone:
 *
 *     npm run -s edgesmith -- <command> [options]
 *
 * Makes sure that the npm dependencies, Node 22 and the build are there (everything it says about that goes to stderr), then runs the
 * command line on Node 22 in the folder where the command was typed, with its own stdin, stdout and exit code.
 */
import { join } from 'node:path'
import { bootstrap } from './bootstrap.mjs'
import { ensureBuilt } from './build.mjs'
import { projectRoot } from './setup/project-paths.mjs'
import { programEnvironment, runProgram } from './setup/run-program.mjs'
import { printSetupError } from './setup/setup-error.mjs'

try {
  const { node } = await bootstrap('cli')
  await ensureBuilt(node.path)
  process.exitCode = await runProgram(node.path, [join(projectRoot, 'out', 'main', 'cli.js'), ...process.argv.slice(2)], {
    // npm changes to the project's folder, and leaves the one it came from here.
    cwd: process.env.INIT_CWD ?? process.cwd(),
    env: programEnvironment(projectRoot, node.path),
  })
} catch (error) {
  process.exitCode = printSetupError(error)
}
