import { randomUUID } from 'node:crypto'
import { type Device, type DeviceReport, LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { EdgesmithError, type ErrorCode } from '../../contract/errors.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { machineKey } from '../devices/device-sessions.ts'
import type { HandlersOf } from '../handlers.ts'
import { devicePasswordKey } from '../secret-store.ts'
import { announce, type Services } from '../services.ts'

/** Adding, probing, preparing and removing devices. */
export function deviceHandlers(services: Services): HandlersOf<'devices'> {
  const { devices, sessions } = services
  return {
    'devices.list': () => devices.list(),
    'devices.add': (input) => addDevice(services, input),
    'devices.probe': async ({ id }) => {
      const session = await sessions.open(devices.get(id).id)
      const report = await session.probe()
      devices.setReport(id, report)
      announce(services, 'devices')
      return report
    },
    'devices.prepare': ({ id }) => {
      const device = devices.get(id)
      const jobId = services.queue.start({
        kind: 'devices.prepare',
        title: `Prepare ${device.name}`,
        machine: { key: machineKey(device), mode: 'shared' },
        run: async (context) => {
          const session = await sessions.open(id)
          const pushed = await session.prepare(context, context.signal)
          devices.setAgentVersion(id, pushed.agentVersion)
          announce(services, 'devices')
          return pushed
        },
      })
      return { jobId }
    },
    'devices.remove': ({ id, keepFiles }) => removeDevice(services, id, keepFiles),
  }
}

/**
 * Connects, checks the host key, probes, and keeps the device only when the agent can run there.
 * @throws EdgesmithError of the connection, or the code of the first failed check
 */
async function addDevice(services: Services, input: ProcedureArguments<'devices.add'>): Promise<Device> {
  const { devices, sessions, secrets } = services
  devices.assertNameFree(input.name)
  const connection = { host: input.host, port: input.port, user: input.user, auth: input.auth }
  const password = passwordFor(input)
  const session = await sessions.attempt({ connection, confirmedHostKey: null, expectedHostKey: input.hostKey, password })
  const id = randomUUID()
  try {
    const report = await session.probe()
    assertFits(report)
    // Passwords from the command line stay in their environment variable; others go to the key store.
    if (input.auth.method === 'password' && input.auth.environmentVariable === null && password !== null)
      await secrets.put(devicePasswordKey(id), password)
    const device = devices.add({
      id,
      name: input.name,
      connection,
      hostKey: session.hostKey.fingerprint,
      report,
      agentVersion: null,
      createdAt: new Date().toISOString(),
    })
    sessions.keep(id, session)
    announce(services, 'devices')
    return device
  } catch (error) {
    session.close()
    await secrets.remove(devicePasswordKey(id))
    throw error
  }
}

function passwordFor({ auth, password }: ProcedureArguments<'devices.add'>): string | null {
  if (auth.method !== 'password') return null
  const found = auth.environmentVariable ? process.env[auth.environmentVariable] : password
  if (found === undefined) {
    throw new EdgesmithError(
      'PASSWORD_NEEDED',
      auth.environmentVariable ? `The variable ${auth.environmentVariable} is not set` : 'No password was given',
    )
  }
  return found
}

/** @throws EdgesmithError with the code of the first failed check */
export function assertFits(report: DeviceReport): void {
  const failed = report.checks.find((check) => !check.ok)
  if (!failed) return
  throw new EdgesmithError(
    (failed.code ?? 'DEVICE_UNSUPPORTED') as ErrorCode,
    `${failed.name}: found ${failed.found}, needed ${failed.needed}`,
    {
      hint: 'Nothing was sent to the device.',
      details: { checks: report.checks },
    },
  )
}

async function removeDevice(services: Services, id: string, keepFiles: boolean): Promise<{ removedBytes: number }> {
  const { devices, sessions, secrets } = services
  const device = devices.get(id)
  if (device.id === LOCAL_DEVICE_ID) throw new EdgesmithError('USAGE', 'This computer cannot be removed')
  let removedBytes = 0
  if (!keepFiles) {
    const session = await sessions.open(id)
    removedBytes = (await session.removeEverything()).removedBytes
  }
  await sessions.drop(id)
  devices.remove(id)
  await secrets.remove(devicePasswordKey(id))
  announce(services, 'devices')
  announce(services, 'deployments')
  return { removedBytes }
}
