import { describe, expect, it } from 'vitest'
import type { Device } from '../../src/contract/device.ts'
import { procedures } from '../../src/contract/procedures.ts'
import { deviceInput, deviceNameOf, emptyDeviceDraft } from '../../src/renderer/pages/devices/device-draft.ts'
import { deviceState } from '../../src/renderer/pages/devices/device-state.ts'
import { hostKeyDetails } from '../../src/renderer/pages/devices/host-key-details.ts'
import { throttleText } from '../../src/renderer/pages/devices/throttle-text.ts'

describe('device draft', () => {
  const draft = { ...emptyDeviceDraft(), address: 'pi@raspberrypi.local:2222' }

  it('names the device after its host until it is given a name', () => {
    expect(deviceNameOf(draft)).toBe('raspberrypi')
    expect(deviceNameOf({ ...draft, name: ' kitchen ' })).toBe('kitchen')
    expect(deviceNameOf({ ...draft, address: 'pi@' })).toBe('')
  })

  it('makes what the contract takes, for every way to log in', () => {
    const inputs = [
      deviceInput({ ...draft, method: 'key', keyPath: ' /keys/id ' }),
      deviceInput({ ...draft, method: 'agent' }),
      deviceInput({ ...draft, method: 'password', password: 'secret' }),
    ]
    for (const input of inputs) expect(procedures['devices.add'].input.safeParse(input).success).toBe(true)
    expect(inputs[0]).toMatchObject({ host: 'raspberrypi.local', port: 2222, user: 'pi', auth: { method: 'key', keyPath: '/keys/id' } })
    expect(inputs[1]).not.toHaveProperty('password')
    expect(inputs[2]).toMatchObject({ password: 'secret', auth: { method: 'password', environmentVariable: null } })
  })

  it('is nothing while the address cannot be read', () => {
    expect(deviceInput({ ...draft, address: 'raspberrypi' })).toBeUndefined()
  })
})

describe('deviceState', () => {
  const failed = { name: 'C library', ok: false, found: 'glibc 2.27', needed: 'glibc 2.28', code: 'DEVICE_GLIBC_TOO_OLD' }
  const device = (change: object): Device =>
    ({ id: 'x', report: { fits: true, checks: [] }, agentVersion: '0.1.0', ...change }) as unknown as Device

  it('tells what is being done, what is missing, and whether the agent is current', () => {
    expect(deviceState(device({}), null, '0.1.0')).toMatchObject({ condition: 'good', detail: 'Agent 0.1.0 is there' })
    expect(deviceState(device({}), 'probing', '0.1.0').text).toBe('Connecting')
    expect(deviceState(device({}), 'preparing', '0.1.0').text).toBe('Configuring')
    expect(deviceState(device({}), null, '0.2.0')).toMatchObject({ condition: 'warn', text: 'Available' })
    expect(deviceState(device({ agentVersion: null }), null, '0.1.0').detail).toMatch(/Prepare/)
    expect(deviceState(device({ report: null }), null, '0.1.0').text).toBe('Not probed')
    expect(deviceState(device({ id: 'local', report: null }), null, '0.1.0').text).toBe('Available')
  })

  it('names the check that failed', () => {
    const state = deviceState(device({ report: { fits: false, checks: [{ ...failed, ok: true }, failed] } }), null, '0.1.0')
    expect(state).toEqual({ condition: 'bad', text: 'Cannot run the agent', detail: 'C library: found glibc 2.27, needed glibc 2.28' })
  })
})

describe('hostKeyDetails', () => {
  it('reads the facts of an unknown and of a changed key', () => {
    const details = { fingerprint: 'SHA256:new', keyType: 'ssh-ed25519', host: 'board', port: 22, knownFingerprints: ['SHA256:old'] }
    expect(hostKeyDetails({ code: 'HOST_KEY_CHANGED', message: '', details })).toEqual({
      fingerprint: 'SHA256:new',
      keyType: 'ssh-ed25519',
      address: 'board, port 22',
      knownFingerprints: ['SHA256:old'],
    })
    expect(
      hostKeyDetails({
        code: 'HOST_KEY_MISMATCH',
        message: '',
        details: { ...details, knownFingerprints: undefined, expected: 'SHA256:asked' },
      }),
    ).toMatchObject({ knownFingerprints: ['SHA256:asked'] })
  })

  it('shows no fingerprint when the error carries none, or something else', () => {
    expect(hostKeyDetails({ code: 'HOST_KEY_UNKNOWN', message: '' }).fingerprint).toBeNull()
    expect(hostKeyDetails({ code: 'HOST_KEY_UNKNOWN', message: '', details: { fingerprint: 7 } }).fingerprint).toBeNull()
  })
})

describe('throttleText', () => {
  it.each([
    [0, 'never since boot'],
    [0x50000, 'since boot: under-voltage, throttled'],
    [0x1, 'now: under-voltage'],
    [0x80008, 'now: soft temperature limit; since boot: soft temperature limit'],
  ])('%d is “%s”', (bits, text) => expect(throttleText(bits)).toBe(text))
})
