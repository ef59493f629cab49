#!/usr/bin/env node
/**
 * `npm start`: sets up what is missing, builds what changed, and opens the window.
 *
 *     npm start                     the window; without a display: the guided job
 *     npm start -- --guided-job     the guided job also where there is a display
 *     npm start -- <anything else>  is handed to the app
 *
 * The guided job is the main job without hands: the same Electron on a virtual display (Xvfb, on a free display number, for holders of its
 * cookie only) gets EDGESMITH_GUIDED_JOB=1 and `--guided-job`, does the job, prints `Report: <path>` on stdout and quits. Its exit code is
 * the exit code of `npm start`.
 */
import { bootstrap } from './bootstrap.mjs'
import { ensureBuilt } from './build.mjs'
import { electronFlags } from './setup/electron-flags.mjs'
import { say } from './setup/progress.mjs'
import { projectRoot } from './setup/project-paths.mjs'
import { programEnvironment, runProgram } from './setup/run-program.mjs'
import { printSetupError, SetupError } from './setup/setup-error.mjs'
import { hasDisplay } from './setup/system-parts.mjs'
import { startVirtualDisplay } from './setup/virtual-display.mjs'

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
async function start(args) {
  const { node, electron } = await bootstrap('start')
  if (!electron) throw new SetupError('ELECTRON_MISSING', 'Electron is not installed', 'Run: node scripts/bootstrap.mjs')
  await ensureBuilt(node.path)
  const flags = electronFlags()
  if (flags.includes('--no-sandbox')) say("Running as root: Electron's sandbox is off.")
  else if (process.env.ELECTRON_DISABLE_SANDBOX) say("ELECTRON_DISABLE_SANDBOX is set: Electron's sandbox is off.")
  const guided = args.includes('--guided-job') || !hasDisplay()
  const appArgs = ['.', ...(guided ? ['--guided-job'] : []), ...args.filter((argument) => argument !== '--guided-job')]
  const env = programEnvironment(projectRoot, node.path)
  if (guided) env.EDGESMITH_GUIDED_JOB = '1'
  const display = hasDisplay() ? undefined : await startVirtualDisplay()
  if (display) say('No display: running the guided job on a virtual one.')
  try {
    return await runProgram(electron.path, [...flags, ...appArgs], {
      cwd: projectRoot,
      env: { ...env, ...display?.env },
      withoutChromiumNoise: true,
    })
  } finally {
    await display?.stop()
  }
}

try {
  process.exitCode = await start(process.argv.slice(2))
} catch (error) {
  process.exitCode = printSetupError(error)
}
