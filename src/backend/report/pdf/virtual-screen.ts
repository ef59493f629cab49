import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/** A display that nobody sees. */
export interface VirtualScreen {
  /** What programs to be shown on it need in their environment. */
  readonly environment: { readonly DISPLAY: string; readonly XAUTHORITY: string }
  stop(): Promise<void>
}

const START_LIMIT_MS = 15_000

/**
 * Starts Xvfb on a free display that only holders of its cookie may use; nothing listens on TCP.
 *
 * @throws Error when Xvfb is not installed or does not start
 */
export async function startVirtualScreen(): Promise<VirtualScreen> {
  const folder = await mkdtemp(join(tmpdir(), 'edgesmith-screen-'))
  const authority = join(folder, 'Xauthority')
  await writeFile(authority, authorityEntry(randomBytes(16)), { mode: 0o600 })
  const args = ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp', '-noreset', '-auth', authority]
  const child = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', () => resolve())
  })
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  const number = await new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), START_LIMIT_MS)
    let text = ''
    const pipe = child.stdio[3] as Readable
    pipe.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (!text.includes('\n')) return
      clearTimeout(timer)
      resolve(text.trim())
    })
    void ended.then(() => {
      clearTimeout(timer)
      resolve(undefined)
    })
  })
  if (number) return { environment: { DISPLAY: `:${number}`, XAUTHORITY: authority }, stop }
  await stop()
  throw new Error('Xvfb is not installed or did not start')
}

/**
 * An X authority file with one entry that fits every address and display (family 65535 is "wild", an empty number fits all). Format:
 * Xau's FileEntry, big-endian lengths before each field.
 */
function authorityEntry(cookie: Buffer): Buffer {
  const field = (content: Buffer) => Buffer.concat([Buffer.from([content.length >> 8, content.length & 255]), content])
  return Buffer.concat([
    Buffer.from([0xff, 0xff]),
    field(Buffer.alloc(0)),
    field(Buffer.alloc(0)),
    field(Buffer.from('MIT-MAGIC-COOKIE-1')),
    field(cookie),
  ])
}
