import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SetupError } from './setup-error.mjs'
import { findProgram } from './system-parts.mjs'

const startLimitMs = 15_000
/** Large enough for the window's full layout and for the screenshots in the README. */
const screen = '1600x1000x24'

/**
 * An X authority file with one entry that fits every address and display (family 65535 is "wild", an empty number fits all). Format:
 * Xau's FileEntry, big-endian lengths before each field.
 * @param {Buffer} cookie
 * @returns {Buffer}
 */
function authorityEntry(cookie) {
  const field = (/** @type {Buffer} */ content) => Buffer.concat([Buffer.from([content.length >> 8, content.length & 255]), content])
  return Buffer.concat([
    Buffer.from([0xff, 0xff]),
    field(Buffer.alloc(0)),
    field(Buffer.alloc(0)),
    field(Buffer.from('MIT-MAGIC-COOKIE-1')),
    field(cookie),
  ])
}

/**
 * Starts Xvfb on a free display that only holders of its cookie may use; nothing listens on TCP.
 * @returns {Promise<{ env: { DISPLAY: string, XAUTHORITY: string }, stop: () => Promise<void> }>} what the programs to be shown need in
 *   their environment
 * @throws {SetupError} DISPLAY_UNAVAILABLE
 */
export async function startVirtualDisplay() {
  const program = findProgram('Xvfb')
  if (!program)
    throw new SetupError('DISPLAY_UNAVAILABLE', 'Xvfb is not installed', 'Run: sudo apt-get install -y --no-install-recommends xvfb')
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-display-'))
  const authority = join(folder, 'Xauthority')
  writeFileSync(authority, authorityEntry(randomBytes(16)), { mode: 0o600 })
  const args = ['-displayfd', '3', '-screen', '0', screen, '-nolisten', 'tcp', '-noreset', '-auth', authority]
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => (errors += text))
  const exited = new Promise((resolve) => child.once('close', resolve))
  const killNow = () => child.kill('SIGTERM')
  process.once('exit', killNow)
  const stop = async () => {
    process.off('exit', killNow)
    child.kill('SIGTERM')
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
  const number = await new Promise((resolve) => {
    const timer = setTimeout(resolve, startLimitMs, undefined)
    const settle = (/** @type {string | undefined} */ value) => {
      clearTimeout(timer)
      resolve(value)
    }
    let text = ''
    const numberPipe = /** @type {import('node:stream').Readable} */ (child.stdio[3])
    numberPipe.setEncoding('utf8').on('data', (part) => {
      text += part
      if (text.includes('\n')) settle(text.trim())
    })
    exited.then(() => settle(undefined))
    child.once('error', () => settle(undefined))
  })
  if (!number) {
    await stop()
    const reason = errors.trim().split('\n').slice(-3).join('\n')
    throw new SetupError('DISPLAY_UNAVAILABLE', 'Xvfb did not start', reason || 'It gave no reason. Try it by hand: Xvfb -displayfd 1')
  }
  return { env: { DISPLAY: `:${number}`, XAUTHORITY: authority }, stop }
}
