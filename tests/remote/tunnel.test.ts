import { randomBytes } from 'node:crypto'
import { connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceSession } from '../../src/remote/device-session.ts'
import { freePort } from '../devices/ssh-device.ts'
import { type HarnessedDevice, startHarnessedDevice } from './device-harness.ts'

describe('a tunnel', () => {
  let harnessed: HarnessedDevice
  let session: DeviceSession
  let echo: Server
  let echoPort: number
  beforeAll(async () => {
    harnessed = await startHarnessedDevice()
    session = await harnessed.open()
    echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => undefined).pipe(socket))
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
    echoPort = (echo.address() as { port: number }).port
  })
  afterAll(async () => {
    session.close()
    echo.close()
    await harnessed.stop()
  })

  /** Sends bytes through a port of this computer, ends, and answers what came back. */
  function exchange(port: number, bytes: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const parts: Buffer[] = []
      const socket = connect(port, '127.0.0.1')
      socket.on('data', (part) => parts.push(part)).on('error', reject)
      socket.on('end', () => resolve(Buffer.concat(parts)))
      socket.end(bytes)
    })
  }

  it('carries much, both ways, for many at once, and half-closed connections', async () => {
    const tunnel = await session.tunnel(echoPort)
    const messages = [randomBytes(5_000_000), ...Array.from({ length: 20 }, (_, index) => randomBytes(1000 * index))]
    const answers = await Promise.all(messages.map((message) => exchange(tunnel.port, message)))
    expect(answers.every((answer, index) => answer.equals(messages[index] ?? Buffer.alloc(0)))).toBe(true)
    tunnel.close()
    await expect(exchange(tunnel.port, Buffer.from('late'))).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('listens on loopback only', async () => {
    const tunnel = await session.tunnel(echoPort)
    const other = connect(tunnel.port, '127.0.0.2')
    const outcome = await new Promise((resolve) =>
      other.once('connect', () => resolve('connected')).once('error', () => resolve('refused')),
    )
    other.destroy()
    expect(outcome).toBe('refused')
    tunnel.close()
  })

  it('resets connections to a port nobody listens on', async () => {
    const tunnel = await session.tunnel(await freePort())
    await expect(exchange(tunnel.port, Buffer.from('anybody?'))).rejects.toMatchObject({ code: 'ECONNRESET' })
    tunnel.close()
  })

  it('closes with its session', async () => {
    const other = await harnessed.open()
    const tunnel = await other.tunnel(echoPort)
    expect((await exchange(tunnel.port, Buffer.from('hello'))).toString()).toBe('hello')
    const open = connect(tunnel.port, '127.0.0.1')
    await new Promise((resolve) => open.once('connect', resolve))
    const closed = new Promise((resolve) => open.once('close', resolve))
    open.on('error', () => undefined)
    other.close()
    await closed
    await expect(exchange(tunnel.port, Buffer.from('late'))).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
