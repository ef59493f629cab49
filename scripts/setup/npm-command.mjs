import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, delimiter, sep } from 'node:path'
import { endWithParent } from './end-with-parent.mjs'
import { SetupError } from './setup-error.mjs'

/** Lines of npm's own output that are quoted when none of the known causes fits. */
const quotedLines = 15

/**
 * The environment for npm and for programs that must not see this project's node_modules/.bin first on PATH: it holds a `node`
 * that npm is about to delete and write again.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentWithoutBin(env = process.env) {
  const cleaned = { ...env }
  for (const name of Object.keys(cleaned)) {
    if (/^npm_(lifecycle|package|command)/.test(name)) delete cleaned[name]
    if (name.toUpperCase() === 'PATH') {
      const isBin = (/** @type {string} */ folder) => folder.replace(/[\\/]+$/, '').endsWith(`${sep}node_modules${sep}.bin`)
      cleaned[name] = (cleaned[name] ?? '')
        .split(delimiter)
        .filter((folder) => !isBin(folder))
        .join(delimiter)
    }
  }
  return cleaned
}

/**
 * How to start npm: the npm that runs this script if there is one, with the Node that npm itself runs on; else `npm` from PATH.
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ command: string, args: string[], shell: boolean }}
 */
function npmInvocation(env) {
  const script = env.npm_execpath
  if (script && basename(script) === 'npm-cli.js' && existsSync(script)) {
    const node = [env.npm_node_execpath, process.execPath].find((path) => path && !path.includes(`${sep}node_modules${sep}`))
    if (node && existsSync(node)) return { command: node, args: [script], shell: false }
  }
  // On Windows npm is a .cmd file, which only a shell can start.
  return { command: 'npm', args: [], shell: process.platform === 'win32' }
}

/**
 * Names the cause of a failed npm run from its output.
 * @param {string} output stdout and stderr
 * @param {string} what for example `npm ci`
 * @returns {SetupError}
 */
export function explainNpmFailure(output, what) {
  // npm's stable machine-readable line first; everything else only where there is none.
  const code = /npm error code (\S+)/.exec(output)?.[1] ?? ''
  const has = (/** @type {RegExp} */ pattern) => pattern.test(code) || (!code && pattern.test(output))
  if (has(/ENOSPC|EDQUOT/)) {
    return new SetupError('DISK_FULL', `${what}: no space left on the disk`, 'Free some space, then run the same command again.')
  }
  if (has(/CERT|SELF_SIGNED|ERR_TLS/)) {
    const hint = 'Behind a proxy that inspects TLS, point npm to its certificate: npm config set cafile /path/to/ca.pem'
    return new SetupError('NETWORK_UNREACHABLE', `${what}: the registry's certificate was not accepted (${code})`, hint)
  }
  if (has(/ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|EPIPE|SOCKET|FETCH_ERROR|ERR_INVALID_URL|E5\d\d|EIDLETIMEOUT/)) {
    const hint = 'Check the network, and the proxy and registry that npm uses (npm config list), then run the same command again.'
    return new SetupError('NETWORK_UNREACHABLE', `${what}: the npm registry could not be reached (${code || 'no answer'})`, hint)
  }
  if (has(/EACCES|EPERM|EROFS/)) {
    const path = /npm error path (.+)/.exec(output)?.[1] ?? 'a file'
    const hint =
      'Files there may belong to root from an earlier run with sudo. Give them to your user (chown), then run the same command again.'
    return new SetupError('NOT_WRITABLE', `${what}: no permission to write ${path}`, hint)
  }
  if (has(/EINTEGRITY/)) {
    const hint = 'The registry served other bytes than the ones that were locked. Try: npm cache clean --force; if it stays, report it.'
    return new SetupError('INTEGRITY_MISMATCH', `${what}: a downloaded package does not match package-lock.json`, hint)
  }
  if (has(/E404|ETARGET|E401|E403/)) {
    const package_ =
      /404\s+'?(\S+@\S+?)'? /.exec(output)?.[1] ?? /No matching version found for (\S+?)\.?\s/.exec(output)?.[1] ?? 'a package'
    return new SetupError(
      'PACKAGE_NOT_FOUND',
      `${what}: the registry does not give out ${package_} (${code})`,
      'Check the registry that npm uses: npm config list',
    )
  }
  if (has(/EUSAGE/)) {
    const missing = [...output.matchAll(/(?:Missing|Invalid): (.+)/g)].slice(0, 3).map((match) => match[1])
    const hint = 'After changing dependencies, run: node scripts/complete-lockfile.mjs'
    return new SetupError('LOCKFILE_INCOMPLETE', `${what}: package-lock.json does not fit package.json (${missing.join('; ')})`, hint)
  }
  const last = output
    .split('\n')
    .filter((line) => line.trim() && !/^npm http/.test(line))
    .slice(-quotedLines)
    .join('\n')
  return new SetupError('NPM_FAILED', `${what} failed`, `npm's last lines:\n${last}`)
}

/**
 * Runs npm to its end and returns its stdout.
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void }} options `onLine` gets npm's log lines as they come
 * @returns {Promise<string>}
 * @throws {SetupError} see explainNpmFailure
 */
export async function runNpm(args, { cwd, env = process.env, onLine }) {
  const npm = npmInvocation(env)
  const npmEnv = environmentWithoutBin(env)
  // npm waits 10 s and then 60 s before it tries again; a person waiting for an answer gets it within a quarter of a minute.
  npmEnv.npm_config_fetch_retry_mintimeout ??= '1000'
  npmEnv.npm_config_fetch_retry_maxtimeout ??= '10000'
  // `npm run -s` sets loglevel=silent for everything below it, which would swallow the reason of a failure.
  const allArgs = [...npm.args, ...args, '--loglevel=http', '--no-audit', '--no-fund', '--no-update-notifier']
  const child = spawn(npm.command, allArgs, { cwd, env: npmEnv, shell: npm.shell, stdio: ['ignore', 'pipe', 'pipe'] })
  endWithParent(child)
  let stdout = ''
  let stderr = ''
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine?.(line)
  })
  /** @type {number | null} */
  const exitCode = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  }).catch((error) => {
    if (error.code !== 'ENOENT') throw error
    throw new SetupError('NPM_FAILED', 'npm was not found', 'Install npm (it comes with Node), or put it on PATH.')
  })
  if (exitCode !== 0) throw explainNpmFailure(`${stderr}\n${stdout}`, `npm ${args[0]}`)
  return stdout
}
