import type { PortForward } from '../../contract/device-link.ts'

/** Where a forwarded port is reached on this computer. */
export function forwardAddress({ localPort }: Pick<PortForward, 'localPort'>): string {
  return `http://127.0.0.1:${localPort}`
}

/** One forward, told apart from all others. */
export function forwardKey({ deviceId, devicePort, localPort }: PortForward): string {
  return `${deviceId}:${devicePort}:${localPort}`
}
