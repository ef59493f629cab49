import { describe, expect, it } from 'vitest'
import { PortForwards } from '../../../src/backend/devices/port-forwards.ts'
import type { DeviceSession, Tunnel } from '../../../src/remote/device-session.ts'

/** A session whose tunnels open when they are told to; ports count from 40001. */
class StandInSession {
  closed = false
  readonly tunnels: { readonly port: number; open: boolean; settle: () => void }[] = []

  tunnel(): Promise<Tunnel> {
    return new Promise((resolve) => {
      const port = 40_001 + this.tunnels.length
      const tunnel = { port, open: true, settle: () => {} }
      const close = () => {
        tunnel.open = false
      }
      tunnel.settle = () => resolve({ port, close })
      this.tunnels.push(tunnel)
    })
  }

  asSession(): DeviceSession {
    return this as unknown as DeviceSession
  }
}

function forwardsWithLog() {
  const said: string[] = []
  return { forwards: new PortForwards(({ text }) => said.push(text)), said }
}

describe('port forwards', () => {
  it('open one port for two calls at the same time', async () => {
    const { forwards, said } = forwardsWithLog()
    const session = new StandInSession()
    const calls = [1, 2].map(() => forwards.open('key', 'device', session.asSession(), 8080, 'digits'))
    for (const tunnel of session.tunnels) tunnel.settle()
    const ports = await Promise.all(calls)
    expect(ports[0]).toBe(ports[1])
    expect(session.tunnels.filter(({ open }) => open).map(({ port }) => port)).toEqual([ports[0]])
    expect(forwards.list()).toEqual([{ deviceId: 'device', devicePort: 8080, localPort: ports[0], what: 'digits' }])
    expect(said).toHaveLength(1)
  })

  it('close the port of an older session when a newer one opens it', async () => {
    const { forwards } = forwardsWithLog()
    const [older, newer] = [new StandInSession(), new StandInSession()]
    for (const session of [older, newer]) {
      const opening = forwards.open('key', 'device', session.asSession(), 8080, 'digits')
      session.tunnels[0]?.settle()
      await opening
    }
    expect(older.tunnels[0]?.open).toBe(false)
    expect(newer.tunnels[0]?.open).toBe(true)
    newer.closed = true
    expect(forwards.localPort('key')).toBeNull()
    expect(forwards.list()).toEqual([])
  })
})
