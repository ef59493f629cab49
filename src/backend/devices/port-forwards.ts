import type { PortForward } from '../../contract/device-link.ts'
import type { DeviceSession, Tunnel } from '../../remote/device-session.ts'

interface OpenForward {
  readonly deviceId: string
  readonly session: DeviceSession
  readonly devicePort: number
  readonly tunnel: Tunnel
  readonly what: string
}

/** Loopback ports of this computer that lead to services on devices. Keys are the deployments' ids. */
export class PortForwards {
  private readonly forwards = new Map<string, OpenForward>()
  private readonly changed: (line: { readonly deviceId: string; readonly text: string }) => void

  /** @param changed called with a line for the device's log when a port was opened or closed */
  constructor(changed: (line: { readonly deviceId: string; readonly text: string }) => void) {
    this.changed = changed
  }

  /** The open forward of a key, if there is one and its session lives: its port on this computer. */
  localPort(key: string): number | null {
    const open = this.forwards.get(key)
    return open && !open.session.closed ? open.tunnel.port : null
  }

  /** Opens a forward, or answers the one that is open already. @returns the port on this computer */
  async open(key: string, deviceId: string, session: DeviceSession, devicePort: number, what: string): Promise<number> {
    const isIt = (open: OpenForward | undefined) => open?.session === session && !session.closed && open.devicePort === devicePort
    const known = this.forwards.get(key)
    if (known && isIt(known)) return known.tunnel.port
    const tunnel = await session.tunnel(devicePort)
    // Another call may have opened it meanwhile.
    const other = this.forwards.get(key)
    if (other && isIt(other)) {
      tunnel.close()
      return other.tunnel.port
    }
    this.close(key)
    this.forwards.set(key, { deviceId, session, devicePort, tunnel, what })
    this.changed({ deviceId, text: `Port ${devicePort} of the device (${what}) is 127.0.0.1:${tunnel.port} here` })
    return tunnel.port
  }

  close(key: string): void {
    const open = this.forwards.get(key)
    if (!open) return
    open.tunnel.close()
    this.forwards.delete(key)
    this.changed({ deviceId: open.deviceId, text: `Port 127.0.0.1:${open.tunnel.port} (${open.what}) is closed` })
  }

  /** Closes all of a device. */
  closeOf(deviceId: string): void {
    for (const [key, open] of [...this.forwards]) if (open.deviceId === deviceId) this.close(key)
  }

  /** Without those of this computer: there the service's own port is the local one. */
  list(): PortForward[] {
    return [...this.forwards.values()].flatMap(({ deviceId, session, devicePort, tunnel, what }) =>
      session.closed || tunnel.port === devicePort ? [] : [{ deviceId, devicePort, localPort: tunnel.port, what }],
    )
  }
}
