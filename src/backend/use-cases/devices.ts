import { randomUUID } from 'node:crypto'
import { type Device, type DeviceAuth, type DeviceReport, LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { passphraseSecret, passwordSecret } from '../../remote/ask-user.ts'
import { refusalOf } from '../../remote/device-checks.ts'
import { listSshConfigHosts } from '../../remote/ssh-config-hosts.ts'
import type { SshSession } from '../../remote/ssh-session.ts'
import type { HandlersOf } from '../handlers.ts'
import { devicePassphraseKey, devicePasswordKey } from '../secret-store.ts'
import { announce, type Services } from '../services.ts'

/** Adding, probing, preparing and removing devices. */
export function deviceHandlers(services: Services): HandlersOf<'devices'> {
  const { devices, sessions, telemetry } = services
  const { links, log } = sessions
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
    'devices.hosts': () => listSshConfigHosts(),
    'devices.links': () => devices.list().map(({ id }) => links.get(id)),
    'devices.connect': async ({ id }) => {
      const session = await sessions.open(devices.get(id).id)
      devices.setReport(id, await session.probe())
      announce(services, 'devices')
      return links.get(id)
    },
    'devices.disconnect': async ({ id }) => {
      telemetry.stop(devices.get(id).id)
      await sessions.drop(id)
      services.forwards.closeOf(id)
      return links.get(id)
    },
    'devices.log': ({ id, after }) => log.after(id, after),
    'devices.telemetry': async ({ id, connect }) => {
      // A window that still asks must not connect again what was disconnected a moment ago.
      const session = connect ? await sessions.open(devices.get(id).id) : await sessions.opened(id)
      return session ? telemetry.readings(id, session) : { readings: [], powerSource: null }
    },
    'devices.forwards': () => services.forwards.list(),
    'devices.prepare': ({ id }) => {
      const device = devices.get(id)
      const jobId = services.queue.start({
        kind: 'devices.prepare',
        title: `Prepare ${device.name}`,
        machine: { key: services.machineKey(device), mode: 'shared' },
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
  const { host, port, user, auth, configHost = null, jump = null } = input
  const connection = { host, port, user, auth, configHost, jump }
  const secret = secretOf(input)
  const id = randomUUID()
  let session: SshSession | undefined
  try {
    session = await sessions.attempt({
      deviceId: id,
      connection,
      confirmedHostKey: null,
      expectedHostKey: input.hostKey ?? null,
      expectedJumpHostKeys: input.jumpHostKeys,
      secret,
    })
    const report = await session.probe()
    assertFits(report, host)
    // Secrets from the command line stay in their environment variable; others go to the key store.
    const key = secretKeyOf(id, auth)
    if (key !== null && secret !== null) await secrets.put(key, secret)
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
    session?.close()
    sessions.links.forget(id)
    sessions.log.forget(id)
    await forgetSecrets(services, id)
    throw error
  }
}

/** Password or passphrase for this connection; null where none is needed or it is left to a question. */
function secretOf({ auth, password }: ProcedureArguments<'devices.add'>): string | null {
  if (auth.method !== 'password' && auth.method !== 'key') return null
  const variable = auth.method === 'password' ? auth.environmentVariable : auth.passphraseVariable
  const found = variable === null ? password : process.env[variable]
  if (found === undefined && (variable !== null || auth.method === 'password')) {
    const what = auth.method === 'password' ? 'password of this device' : 'passphrase of the key'
    throw new EdgesmithError('PASSWORD_NEEDED', variable === null ? 'No password was given' : `The variable ${variable} is not set`, {
      hint: variable === null ? 'Give the password, or log in with a key.' : `Put the ${what} into it, and export it.`,
    })
  }
  return found ?? null
}

/** Where the secret of a device is kept; null for one that has none or has it in a variable. */
function secretKeyOf(id: string, auth: DeviceAuth): string | null {
  if (auth.method === 'password') return auth.environmentVariable === null ? devicePasswordKey(id) : null
  return auth.method === 'key' && auth.passphraseVariable === null ? devicePassphraseKey(id) : null
}

async function forgetSecrets({ secrets }: Services, id: string): Promise<void> {
  await secrets.remove(devicePasswordKey(id))
  await secrets.remove(devicePassphraseKey(id))
}

/** Forgets what a person answered at log-ins of a device that was removed, unless another device logs in the same way. */
async function forgetAnswers({ devices, secrets }: Services, { connection }: Device): Promise<void> {
  if (!connection) return
  const { auth } = connection
  const others = devices.list().flatMap((device) => device.connection ?? [])
  const place = placeOf(connection)
  if (others.every((other) => placeOf(other) !== place)) await secrets.remove(passwordSecret(place))
  if (auth.method !== 'key') return
  const { keyPath } = auth
  const sharesKey = others.some((other) => other.auth.method === 'key' && other.auth.keyPath === keyPath)
  if (!sharesKey) await secrets.remove(passphraseSecret(keyPath))
}

function placeOf({ user, host, port }: NonNullable<Device['connection']>): string {
  return `${user}@${host}:${port}`
}

/** @throws EdgesmithError with the code of the first failed check; details have all checks */
function assertFits(report: DeviceReport, host: string): void {
  const refusal = refusalOf(report, host)
  if (!refusal) return
  throw new EdgesmithError(refusal.code, refusal.message, {
    hint: `Nothing was sent to the device. ${refusal.hint ?? ''}`.trim(),
    details: { ...refusal.details, checks: report.checks },
  })
}

async function removeDevice(services: Services, id: string, keepFiles: boolean): Promise<{ removedBytes: number }> {
  const { devices, sessions, telemetry } = services
  const device = devices.get(id)
  if (device.id === LOCAL_DEVICE_ID) throw new EdgesmithError('USAGE', 'This computer cannot be removed')
  let removedBytes = 0
  if (!keepFiles) {
    const session = await sessions.open(id)
    removedBytes = (await session.removeEverything()).removedBytes
  }
  telemetry.stop(id)
  services.forwards.closeOf(id)
  await sessions.drop(id)
  sessions.links.forget(id)
  sessions.log.forget(id)
  devices.remove(id)
  await forgetSecrets(services, id)
  await forgetAnswers(services, device)
  announce(services, 'devices')
  announce(services, 'deployments')
  return { removedBytes }
}
