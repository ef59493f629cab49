import { describe, expect, it } from 'vitest'
import type { Device } from '../../src/contract/device.ts'
import type { DeviceLink, SshConfigHost } from '../../src/contract/device-link.ts'
import { procedures } from '../../src/contract/procedures.ts'
import { attemptText } from '../../src/renderer/pages/devices/attempt-text.ts'
import { withConfirmedKey } from '../../src/renderer/pages/devices/confirmed-keys.ts'
import { connectionText } from '../../src/renderer/pages/devices/connection-text.ts'
import { readDestination } from '../../src/renderer/pages/devices/destination.ts'
import { deviceInput, deviceNameOf, draftOf, emptyDeviceDraft } from '../../src/renderer/pages/devices/device-draft.ts'
import { deviceState } from '../../src/renderer/pages/devices/device-state.ts'
import { hostKeyDetails } from '../../src/renderer/pages/devices/host-key-details.ts'
import { logText } from '../../src/renderer/pages/devices/log-text.ts'
import { reviewSteps } from '../../src/renderer/pages/devices/review-steps.ts'
import { targetReason } from '../../src/renderer/pages/devices/target-reason.ts'
import { throttleText } from '../../src/renderer/pages/devices/throttle-text.ts'
import { linkText } from '../../src/renderer/text/link-text.ts'

const orin: SshConfigHost = {
  alias: 'orin',
  host: '10.0.0.7',
  port: 2222,
  user: 'nvidia',
  identityFiles: ['~/.ssh/id_orin'],
  proxyJump: 'admin@gateway',
}

function linkOf(change: Partial<DeviceLink>): DeviceLink {
  return { deviceId: 'local', state: 'idle', since: '2026-03-12T14:00:00.000Z', attempts: 0, nextAttemptAt: null, error: null, ...change }
}

describe('device draft', () => {
  const draft = { ...emptyDeviceDraft(), address: 'pi@raspberrypi.local:2222' }
  const accepts = (input: unknown) => procedures['devices.add'].input.safeParse(input).success

  it('names the device after its host until it is given a name', () => {
    expect(deviceNameOf(draft)).toBe('raspberrypi')
    expect(deviceNameOf({ ...draft, name: ' kitchen ' })).toBe('kitchen')
    expect(deviceNameOf({ ...draft, address: 'pi@' })).toBe('')
    expect(deviceNameOf({ ...draft, address: 'orin' }, [orin])).toBe('orin')
  })

  it('makes what the contract takes, for every way to log in', () => {
    const inputs = [
      deviceInput({ ...draft, method: 'key', keyPath: ' /keys/id ' }),
      deviceInput({ ...draft, method: 'agent' }),
      deviceInput({ ...draft, method: 'password', password: 'secret' }),
      deviceInput({ ...draft, method: 'key', keyPath: '/keys/id', passphrase: 'words' }),
      deviceInput(draft),
      deviceInput({ ...draft, method: 'interactive', password: 'left over' }),
    ]
    for (const input of inputs) expect(accepts(input)).toBe(true)
    expect(inputs[0]).toMatchObject({ host: 'raspberrypi.local', port: 2222, user: 'pi', auth: { method: 'key', keyPath: '/keys/id' } })
    expect(inputs[0]).not.toHaveProperty('password')
    expect(inputs[1]).not.toHaveProperty('password')
    expect(inputs[2]).toMatchObject({ password: 'secret', auth: { method: 'password', environmentVariable: null } })
    expect(inputs[3]).toMatchObject({ password: 'words', auth: { method: 'key' } })
    expect(inputs[4]).toMatchObject({ auth: { method: 'default' } })
    expect(inputs[5]).toMatchObject({ auth: { method: 'interactive' } })
    expect(inputs[5]).not.toHaveProperty('password')
  })

  it('takes jump hosts and a fingerprint that was read on the device', () => {
    const hostKey = `SHA256:${'a'.repeat(43)}`
    const input = deviceInput({ ...draft, jump: 'ada@gate:2200, bob@inner', hostKey: ` ${hostKey} ` })
    expect(accepts(input)).toBe(true)
    expect(input).toMatchObject({ jump: 'ada@gate:2200,bob@inner', hostKey })
    expect(accepts(deviceInput({ ...draft, hostKey: 'SHA256:short' }))).toBe(false)
    expect(accepts(deviceInput({ ...draft, jump: '-oProxyCommand=x' }))).toBe(false)
  })

  it('leaves the way to a Host of the configuration to the configuration', () => {
    const input = deviceInput({ ...draft, address: 'ssh orin', jump: 'left@over' }, [orin])
    expect(input).toEqual({ name: 'orin', host: 'orin', port: 2222, user: 'nvidia', configHost: 'orin', auth: { method: 'default' } })
    expect(accepts(input)).toBe(true)
    // Names that only ssh takes for a host go by their address.
    expect(deviceInput({ ...draft, address: '_lab' }, [{ ...orin, alias: '_lab' }])).toMatchObject({ host: '10.0.0.7', configHost: '_lab' })
  })

  it('is nothing while the address cannot be read', () => {
    expect(deviceInput({ ...draft, address: 'raspberrypi' })).toBeUndefined()
    expect(deviceInput({ ...draft, address: 'raspberrypi' }, [orin])).toBeUndefined()
  })

  it('begins again with what is known of a device, without its secrets', () => {
    const connection = { host: 'board', port: 2200, user: 'pi', auth: { method: 'key', keyPath: '/k', passphraseVariable: null } } as const
    const again = draftOf({ name: 'kitchen', connection: { ...connection, configHost: null, jump: 'a@gate' } })
    expect(again).toEqual({
      ...{ address: 'pi@board:2200', name: 'kitchen', method: 'key', keyPath: '/k', passphrase: '', password: '' },
      ...{ jump: 'a@gate', hostKey: '' },
    })
    expect(draftOf({ name: 'orin', connection: { ...connection, configHost: 'orin', jump: null } }).address).toBe('orin')
    expect(draftOf({ name: 'here', connection: null })).toEqual({ ...emptyDeviceDraft(), name: 'here' })
  })
})

describe('readDestination', () => {
  it('knows names of the configuration and says when a word is none', () => {
    expect(readDestination('orin', [orin])).toMatchObject({ ok: true, configHost: orin })
    expect(readDestination('pi@orin', [orin])).toMatchObject({
      ok: true,
      configHost: null,
      address: { user: 'pi', host: 'orin', port: 22 },
    })
    expect(readDestination('oriin', [orin])).toMatchObject({ ok: false, problem: expect.stringMatching(/no Host/) })
    expect(readDestination('oriin', [])).toMatchObject({ ok: false, problem: expect.stringMatching(/user is missing/) })
  })
})

describe('withConfirmedKey', () => {
  const input = { name: 'x', host: 'x', port: 22, user: 'x', auth: { method: 'default' as const } }
  it('collects the keys of jump hosts and of the device', () => {
    const first = withConfirmedKey(input, { fingerprint: 'SHA256:one', jump: 'gate' })
    const second = withConfirmedKey(first, { fingerprint: 'SHA256:two', jump: 'inner' })
    expect(withConfirmedKey(second, { fingerprint: 'SHA256:end', jump: null })).toEqual({
      ...input,
      jumpHostKeys: ['SHA256:one', 'SHA256:two'],
      hostKey: 'SHA256:end',
    })
    expect(withConfirmedKey(first, { fingerprint: null, jump: 'inner' })).toBe(first)
  })
})

describe('deviceState', () => {
  const failed = { name: 'C library', ok: false, found: 'glibc 2.27', needed: 'glibc 2.28', code: 'DEVICE_GLIBC_TOO_OLD' }
  const device = (change: object): Device =>
    ({ id: 'x', report: { fits: true, checks: [] }, agentVersion: '0.1.0', ...change }) as unknown as Device
  const ready = linkOf({ state: 'ready' })

  it('tells how the connection is, what is missing, and whether the agent is current', () => {
    expect(deviceState(device({}), ready, null, '0.1.0')).toMatchObject({
      condition: 'good',
      text: 'Ready',
      detail: 'Agent 0.1.0 is there',
    })
    expect(deviceState(device({}), ready, null, '0.2.0')).toMatchObject({ condition: 'warn', text: 'Ready' })
    expect(deviceState(device({ agentVersion: null }), ready, null, '0.1.0').detail).toMatch(/Prepare/)
    expect(deviceState(device({}), undefined, null, '0.1.0').text).toBe('Idle')
    expect(deviceState(device({ report: null }), linkOf({}), null, '0.1.0')).toMatchObject({ text: 'Idle', detail: 'Never probed' })
    expect(deviceState(device({ id: 'local', report: null, agentVersion: null }), undefined, null, '0.1.0').text).toBe('Ready')
  })

  it('tells what is being done', () => {
    expect(deviceState(device({}), linkOf({}), 'probing', '0.1.0').text).toBe('Connecting')
    expect(deviceState(device({}), ready, 'probing', '0.1.0').text).toBe('Ready')
    expect(deviceState(device({}), ready, 'preparing', '0.1.0').text).toBe('Preparing')
    expect(deviceState(device({}), linkOf({ state: 'connecting' }), null, '0.1.0').text).toBe('Connecting')
    expect(deviceState(device({}), linkOf({ state: 'preparing' }), null, '0.1.0').text).toBe('Preparing')
    // A broken link is what matters, whatever was going on.
    expect(deviceState(device({}), linkOf({ state: 'reconnecting' }), 'preparing', '0.1.0')).toMatchObject({
      condition: 'warn',
      text: 'Reconnecting',
      needsReview: false,
    })
  })

  it('asks for a look at what failed and names the check or the error', () => {
    expect(deviceState(device({ report: { fits: false, checks: [{ ...failed, ok: true }, failed] } }), ready, null, '0.1.0')).toEqual({
      condition: 'bad',
      text: 'Cannot run the agent',
      detail: 'C library: found glibc 2.27, needed glibc 2.28',
      needsReview: true,
    })
    const error = { code: 'DEVICE_AUTH_FAILED', message: 'pi@board refused\u0007 the key' }
    expect(deviceState(device({}), linkOf({ state: 'failed', error }), null, '0.1.0')).toEqual({
      condition: 'bad',
      text: 'Failed',
      detail: 'DEVICE_AUTH_FAILED: pi@board refused· the key',
      needsReview: true,
    })
  })

  it('is said in a word where a device is chosen', () => {
    expect(linkText(device({}), undefined).text).toBe('Idle')
    expect(linkText(device({}), linkOf({ state: 'failed' }))).toEqual({ condition: 'bad', text: 'Failed' })
    expect(linkText(device({ id: 'local' }), undefined).text).toBe('Ready')
    expect(linkText(device({ report: { fits: false, checks: [failed] } }), ready).text).toBe('Cannot run the agent')
  })
})

describe('reviewSteps', () => {
  it('offers to give the connection anew only where that helps, and has a word for every code', () => {
    expect(reviewSteps('HOST_KEY_CHANGED').addAgain).toBe(true)
    expect(reviewSteps('DEVICE_AUTH_FAILED').addAgain).toBe(true)
    expect(reviewSteps('DEVICE_NOEXEC').addAgain).toBe(false)
    expect(reviewSteps('SOMETHING_ELSE').advice).toMatch(/Try again/)
    expect(reviewSteps('constructor').advice).toMatch(/Try again/)
  })
})

describe('attemptText', () => {
  const now = Date.parse('2026-03-12T14:00:00.000Z')
  it.each([
    [0, '2026-03-12T14:00:04.200Z', 'next attempt in 5 s'],
    [1, '2026-03-12T14:00:01.000Z', 'next attempt in 1 s, 1 attempt so far'],
    [3, '2026-03-12T13:59:59.000Z', 'trying now, 3 attempts so far'],
    [2, null, 'trying now, 2 attempts so far'],
  ])('%d attempts, next at %s', (attempts, nextAttemptAt, text) => expect(attemptText({ attempts, nextAttemptAt }, now)).toBe(text))
})

describe('connectionText', () => {
  const auth = { method: 'default' } as const
  it('says where a device is reached and through what', () => {
    const connection = { host: 'board', port: 22, user: 'pi', auth, configHost: null, jump: null }
    expect(connectionText(connection)).toBe('pi@board')
    expect(connectionText({ ...connection, jump: 'a@gate' })).toBe('pi@board, through a@gate')
    expect(connectionText({ ...connection, configHost: 'orin' })).toBe('orin in ~/.ssh/config')
  })
})

describe('targetReason', () => {
  const report = { architecture: 'arm64', cpuFeatures: ['asimd', 'asimddp'] }
  it('names the features that decide', () => {
    expect(targetReason({ ...report, target: 'arm64-dotprod' })).toContain('(asimddp)')
    expect(targetReason({ ...report, target: 'x64-vnni', cpuFeatures: ['avx_vnni'] })).toContain('(avx_vnni)')
    expect(targetReason({ ...report, target: 'arm64', cpuFeatures: [] })).toContain('no asimddp')
    expect(targetReason({ architecture: 'riscv64', cpuFeatures: [], target: null })).toContain('riscv64')
  })
})

describe('logText', () => {
  it('is one plain line for each, whatever the device wrote', () => {
    const at = '2026-03-12T14:00:00.000Z'
    expect(
      logText([
        { number: 1, at, text: 'connected' },
        { number: 2, at, text: '\u001b[31mred\u001b[0m\nnext' },
      ]),
    ).toBe(`${at} connected\n${at} ·[31mred·[0m·next\n`)
  })
})

describe('hostKeyDetails', () => {
  it('reads the facts of an unknown and of a changed key', () => {
    const details = { fingerprint: 'SHA256:new', keyType: 'ssh-ed25519', host: 'board', port: 22, knownFingerprints: ['SHA256:old'] }
    expect(hostKeyDetails({ details })).toEqual({
      fingerprint: 'SHA256:new',
      keyType: 'ssh-ed25519',
      address: 'board, port 22',
      knownFingerprints: ['SHA256:old'],
      jump: null,
    })
    expect(hostKeyDetails({ details: { ...details, knownFingerprints: undefined, expected: 'SHA256:asked' } })).toMatchObject({
      knownFingerprints: ['SHA256:asked'],
    })
    expect(hostKeyDetails({ details: { ...details, jump: 'admin@gateway:2222' } }).jump).toBe('admin@gateway:2222')
    expect(hostKeyDetails({ details: { ...details, jump: null } }).jump).toBeNull()
  })

  it('shows no fingerprint when the error carries none, or something else', () => {
    expect(hostKeyDetails({}).fingerprint).toBeNull()
    expect(hostKeyDetails({ details: { fingerprint: 7 } }).fingerprint).toBeNull()
  })
})

describe('throttleText', () => {
  it.each([
    [0, 'never since boot'],
    [0x50000, 'since boot: under-voltage (weak power supply), throttling'],
    [0x1, 'now: under-voltage (weak power supply)'],
    [0x80008, 'now: the soft temperature limit; since boot: the soft temperature limit'],
  ])('%d is “%s”', (bits, text) => expect(throttleText(bits)).toBe(text))
})
