import { describe, expect, it } from 'vitest'
import type { Services } from '../../src/backend/services.ts'
import { deviceHandlers } from '../../src/backend/use-cases/devices.ts'
import type { Device, DeviceAuth } from '../../src/contract/device.ts'

const keyAuth: DeviceAuth = { method: 'key', keyPath: '/keys/lab', passphraseVariable: null }

function device(id: string, host: string, auth: DeviceAuth): Device {
  const connection = { host, port: 22, user: 'pi', auth, configHost: null, jump: null }
  return { id, name: id, connection, hostKey: null, report: null, agentVersion: null, createdAt: '2026-01-01T00:00:00.000Z' }
}

/** Handlers over devices and secrets in memory; nothing is connected. */
function handlersOver(devices: readonly Device[], secrets: Set<string>) {
  const kept = new Map(devices.map((each) => [each.id, each]))
  const services = {
    devices: { get: (id: string) => kept.get(id), list: () => [...kept.values()], remove: (id: string) => kept.delete(id) },
    sessions: { drop: async () => {}, links: { forget: () => {} }, log: { forget: () => {} } },
    telemetry: { stop: () => {} },
    forwards: { closeOf: () => {} },
    secrets: { remove: async (key: string) => void secrets.delete(key) },
    emit: () => {},
  }
  return deviceHandlers(services as unknown as Services)
}

describe('removing a device', () => {
  it('forgets its secrets, and answers that no other device needs', async () => {
    const secrets = new Set([
      'device-passphrase:one',
      'device-passphrase:two',
      'password:pi@one.local:22',
      'password:pi@two.local:22',
      'password:admin@gateway:22',
      'key-passphrase:/keys/lab',
    ])
    const handlers = handlersOver([device('one', 'one.local', keyAuth), device('two', 'two.local', keyAuth)], secrets)
    await handlers['devices.remove']({ id: 'one', keepFiles: true })
    expect([...secrets]).toEqual([
      'device-passphrase:two',
      'password:pi@two.local:22',
      'password:admin@gateway:22',
      'key-passphrase:/keys/lab',
    ])
    await handlers['devices.remove']({ id: 'two', keepFiles: true })
    expect([...secrets]).toEqual(['password:admin@gateway:22'])
  })
})
