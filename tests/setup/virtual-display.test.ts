import { existsSync, readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { expect, test } from 'vitest'
import { startVirtualDisplay } from '../../scripts/setup/virtual-display.mjs'

/** The first byte of X's answer to a connection: 1 is welcome, 0 is refused. Format: X11 protocol, "Connection Setup". */
function greet(display: string, cookie: Buffer): Promise<number> {
  const name = Buffer.from('MIT-MAGIC-COOKIE-1')
  const hello = Buffer.alloc(12)
  hello.write('l')
  hello.writeUInt16LE(11, 2)
  hello.writeUInt16LE(name.length, 6)
  hello.writeUInt16LE(cookie.length, 8)
  const padding = Buffer.alloc((4 - (name.length % 4)) % 4)
  return new Promise((resolve, reject) => {
    const socket = createConnection(`/tmp/.X11-unix/X${display.slice(1)}`)
    socket.on('error', reject)
    socket.once('data', (answer) => {
      socket.destroy()
      resolve(answer[0] as number)
    })
    socket.write(Buffer.concat([hello, name, padding, cookie]))
  })
}

test.runIf(process.platform === 'linux')('Xvfb lets in who has the cookie, and is gone afterwards', async () => {
  const { env, stop } = await startVirtualDisplay()
  const cookie = readFileSync(env.XAUTHORITY).subarray(-16)
  try {
    expect(await greet(env.DISPLAY, cookie)).toBe(1)
    expect(await greet(env.DISPLAY, Buffer.alloc(16))).toBe(0)
  } finally {
    await stop()
  }
  expect(existsSync(env.XAUTHORITY)).toBe(false)
  await expect(greet(env.DISPLAY, cookie)).rejects.toThrow()
})
