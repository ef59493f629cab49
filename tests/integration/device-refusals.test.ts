// Devices that cannot be used: each says why in one clear error, nothing is kept here and nothing is left there.

import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ErrorCode, toErrorReport } from '../../src/contract/errors.ts'
import { makeBarePath } from '../devices/bare-path.ts'
import { type ClosedDeviceOptions, closedDeviceProblem, startClosedDevice } from '../devices/closed-device.ts'
import { makeKey, type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { deviceInput } from './device-input.ts'
import { openWorkspace, type TestWorkspace } from './workspace.ts'

let workspace: TestWorkspace
let folder: string
beforeAll(async () => {
  workspace = await openWorkspace()
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-refusals-'))
  chmodSync(folder, 0o755)
})
afterAll(async () => {
  await workspace.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Programs in front of the device's own ones. */
const pathWith = (programs: Readonly<Record<string, string>>) =>
  `${makeBarePath(mkdtempSync(join(folder, 'bin-')), [], programs)}:/usr/bin:/bin`

/** Adding the device fails with that code, and no trace of it is left on either side. */
async function expectRefused(
  device: SshDevice,
  code: ErrorCode,
  said: RegExp,
  changes: Partial<ReturnType<typeof deviceInput>> = {},
): Promise<void> {
  const before = readdirSync(device.home)
  const adding = workspace.backend.call('devices.add', { ...deviceInput(device, 'refused'), ...changes })
  await expect(adding).rejects.toMatchObject({ code, message: expect.stringMatching(said) })
  expect(readdirSync(device.home)).toEqual(before)
  await expect.poll(() => device.processes()).toEqual([])
  expect((await workspace.backend.call('devices.list', {})).map(({ id }) => id)).toEqual(['local'])
}

const problem = closedDeviceProblem()
describe.skipIf(problem !== null)(`a device whose${problem === null ? '' : ` (skipped: ${problem})`}`, () => {
  const cases: readonly [what: string, options: () => ClosedDeviceOptions, code: ErrorCode, said: RegExp][] = [
    ['home directory may not hold programs', () => ({ noexecHome: true }), 'DEVICE_NOEXEC', /noexec/],
    ['disk is full', () => ({ homeBytes: 64 << 20 }), 'DEVICE_NO_SPACE', /67 MB free.*350 MB/],
    [
      'C library is that of JetPack 4',
      () => ({ path: pathWith({ getconf: `#!/bin/sh\n[ "$1" = LONG_BIT ] && echo 64 || echo 'glibc 2.27'\n` }) }),
      'DEVICE_GLIBC_TOO_OLD',
      /2\.27.*2\.28/,
    ],
    [
      'system is a 32-bit one',
      () => ({
        path: pathWith({
          uname: '#!/bin/sh\n[ "$1" = -m ] && echo aarch64 || exec /bin/uname "$@"\n',
          getconf: `#!/bin/sh\n[ "$1" = LONG_BIT ] && echo 32 || echo 'glibc 2.36'\n`,
          dpkg: '#!/bin/sh\necho armhf\n',
        }),
      }),
      'DEVICE_UNSUPPORTED',
      /32-bit \(arm\).*64-bit/,
    ],
  ]
  test.each(cases)('%s is refused before anything is sent', async (_, options, code, said) => {
    const device = await startClosedDevice(options())
    try {
      await expectRefused(device, code, said)
    } finally {
      await device.stop()
    }
  })
})

describe('a device', () => {
  let device: SshDevice
  beforeAll(async () => {
    device = await startSshDevice()
  })
  afterAll(() => device.stop())

  test('that does not know the key is refused', async () => {
    const keyPath = makeKey(join(folder, 'other-key'), 'ed25519')
    await expectRefused(device, 'DEVICE_AUTH_FAILED', /./, { auth: { method: 'key', keyPath } })
  })

  test('with another host key than the one on file is refused, with both fingerprints', async () => {
    const { id } = await workspace.backend.call('devices.add', deviceInput(device, 'known'))
    const old = device.hostFingerprint
    const found = await device.changeHostKey()
    await workspace.backend.call('devices.disconnect', { id })
    const error: unknown = await workspace.backend.call('devices.probe', { id }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'HOST_KEY_CHANGED' })
    const told = JSON.stringify(toErrorReport(error))
    expect(told).toContain(found)
    expect(told).toContain(old)
    await workspace.backend.call('devices.remove', { id, keepFiles: true })
    // Not the key that the user read off the device's screen.
    await expectRefused(device, 'HOST_KEY_MISMATCH', /./, { hostKey: old })
  })
})
