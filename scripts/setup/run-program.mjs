import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'

/** Chromium's complaints about a missing desktop bus and GPU, which say nothing about the program. */
const chromiumNoise =
  /^\[\d+:\d{4}\/[\d.]+:(ERROR|WARNING):[^\]]*\b(bus|object_proxy|viz_main_impl|gl_surface_presentation_helper|command_buffer_proxy_impl)\.cc/

/**
 * The program behind a name in node_modules/.bin, to be run by Node (the shims in .bin differ between systems).
 * @param {string} root
 * @param {string} packageName
 * @param {string} binName
 * @returns {string} a JavaScript file
 */
export function packageProgram(root, packageName, binName) {
  const folder = join(root, 'node_modules', packageName)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, typeof bin === 'string' ? bin : bin[binName])
}

/**
 * The environment in which the project's programs run: its Node 22 first on PATH, and named for those that start one.
 * @param {string} root
 * @param {string} nodePath
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {NodeJS.ProcessEnv}
 */
export function programEnvironment(root, nodePath, env = process.env) {
  /** @type {NodeJS.ProcessEnv} */
  const result = { ...env, EDGESMITH_NODE: nodePath }
  const pathName = Object.keys(result).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  const bin = join(root, 'node_modules', '.bin')
  const rest = (result[pathName] ?? '').split(delimiter).filter((folder) => folder !== bin)
  return { ...result, [pathName]: [bin, ...rest].join(delimiter) }
}

/**
 * Runs a program to its end with our stdin and stdout, passing signals on.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, withoutChromiumNoise?: boolean }} options
 * @returns {Promise<number>} its exit code; 128 + the signal's number when a signal ended it, as shells have it
 */
export async function runProgram(command, args, { cwd, env, withoutChromiumNoise = false }) {
  const child = spawn(command, args, { cwd, env, stdio: ['inherit', 'inherit', withoutChromiumNoise ? 'pipe' : 'inherit'] })
  if (child.stderr) {
    let rest = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line && !chromiumNoise.test(line)) process.stderr.write(`${line}\n`)
    })
  }
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const forward = (/** @type {NodeJS.Signals} */ signal) => {
    // A terminal's Ctrl-C reaches the child by itself; passing it on as well would look like a second, impatient one.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  for (const signal of signals) process.on(signal, forward)
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
    })
  } finally {
    for (const signal of signals) process.off(signal, forward)
  }
}
