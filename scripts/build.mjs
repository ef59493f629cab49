#!/usr/bin/env node
/**
 * Builds what runs, into out/:
 *
 *     node scripts/build.mjs [--force]
 *
 * out/main (Electron's main process; backend, engine and command line for Node 22), out/preload, out/renderer, and out/agent: the device's
 * program in one file, with this computer's native files beside it. Does nothing when nothing changed since the last build. The new build
 * replaces the old one only when it is complete, so a failed build leaves the old one in place.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { bootstrap } from './bootstrap.mjs'
import { bundleAgent } from './setup/agent-bundle.mjs'
import { isFresh, readInputs, writeStamp } from './setup/build-stamp.mjs'
import { endWithParent } from './setup/end-with-parent.mjs'
import { checkWritable } from './setup/platform-checks.mjs'
import { withProcessLock } from './setup/process-lock.mjs'
import { withStep } from './setup/progress.mjs'
import { projectRoot } from './setup/project-paths.mjs'
import { explainFileError, printSetupError, SetupError } from './setup/setup-error.mjs'

const parts = ['main', 'preload', 'renderer', 'agent']
/** A bundler's error and the code around it. */
const quotedLines = 40

/**
 * Builds if something changed.
 * @param {string} nodePath Node 22
 * @param {{ root?: string, force?: boolean }} [options]
 * @returns {Promise<'unchanged' | 'built'>}
 * @throws {SetupError} BUILD_FAILED, NOT_WRITABLE, DISK_FULL
 */
export async function ensureBuilt(nodePath, { root = projectRoot, force = false } = {}) {
  if (!force && isFresh(root)) return 'unchanged'
  const out = join(root, 'out')
  checkWritable(out)
  return withProcessLock(join(out, '.build.lock'), async () => {
    if (!force && isFresh(root)) return 'unchanged'
    for (const name of readdirSync(out)) if (/^\.(next|old)-/.test(name)) rmSync(join(out, name), { recursive: true, force: true })
    // Read before building: what is saved during the build is built the next time.
    const inputs = readInputs(root)
    const next = join(out, `.next-${process.pid}`)
    try {
      await withStep('build', async (step) => {
        step.update('window, backend, command line')
        await runElectronVite(root, nodePath, next)
        step.update('agent')
        await bundleAgent(root, join(next, 'agent'))
        replaceBuild(out, next)
        writeStamp(root, inputs)
      })
    } catch (error) {
      throw explainFileError(error, out)
    } finally {
      rmSync(next, { recursive: true, force: true })
    }
    return 'built'
  })
}

/**
 * @param {string} root
 * @param {string} nodePath
 * @param {string} outFolder
 */
async function runElectronVite(root, nodePath, outFolder) {
  const program = join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js')
  const child = spawn(nodePath, [program, 'build', '--outDir', outFolder], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  endWithParent(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  const exitCode = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (exitCode === 0) return
  // The bundler colours its output even where it is told not to, and ends with its own stack.
  const lines = stripVTControlCharacters(output).trim().split('\n')
  const telling = lines.filter((line) => !/^\s+at /.test(line)).slice(-quotedLines)
  throw new SetupError('BUILD_FAILED', 'electron-vite build failed', telling.join('\n'))
}

/**
 * Puts the new parts in the place of the old ones, each by two renames.
 * @param {string} out
 * @param {string} next
 */
function replaceBuild(out, next) {
  const old = join(out, `.old-${process.pid}`)
  mkdirSync(old)
  for (const part of parts) {
    if (existsSync(join(out, part))) renameSync(join(out, part), join(old, part))
    renameSync(join(next, part), join(out, part))
  }
  rmSync(old, { recursive: true, force: true })
}

async function main() {
  const { node } = await bootstrap('cli')
  await ensureBuilt(node.path, { force: process.argv.includes('--force') })
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    process.exitCode = printSetupError(error)
  })
}
