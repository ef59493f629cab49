import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { callCli } from './cli-call.ts'
import { runCli, startCli } from './cli-process.ts'
import { benchDocument, errorDocument, evaluateDocument } from './documents.ts'
import { ACCURACY, type SmallFiles, writeSmallFiles } from './small-model.ts'

let folder: string
let files: SmallFiles
let device: SshDevice
let address: string
let workspace: string
const edgesmith = (...args: string[]) => callCli(args, { workspace, folder })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-cli-'))
  workspace = join(folder, 'workspace')
  files = await writeSmallFiles(folder)
  device = await startSshDevice()
  address = `${device.user}@${device.host}:${device.port}`
})
afterAll(async () => {
  await device.stop()
  await rm(folder, { recursive: true })
})

describe('device add', () => {
  it('refuses an unknown host key with its fingerprint and the exact command that accepts it', async () => {
    const result = await edgesmith('device', 'add', 'board', address, '--key', device.keyPath, '--json')
    expect(result.code).toBe(2)
    const { error } = result.json(errorDocument)
    const command = `edgesmith device add board ${address} --key ${device.keyPath} --host-key ${device.hostFingerprint}`
    expect(error).toMatchObject({ code: 'HOST_KEY_UNKNOWN', details: { fingerprint: device.hostFingerprint, command } })
    expect(error.hint).toContain(command)
    // Standard input that is no terminal answers nothing.
    const people = await runCli(['device', 'add', 'board', address, '--key', device.keyPath], {
      workspace,
      folder,
      input: 'yes\n',
    })
    expect(people.code).toBe(2)
    expect(people.stderr).toContain(command)
  })

  it('asks on a terminal, and adds the device only after yes', async () => {
    const add = (answer: string, ...more: string[]) =>
      callCli(['device', 'add', 'asked', address, '--key', device.keyPath, ...more], { workspace: join(folder, 'asking'), folder, answer })
    for (const answer of ['no\n', '\n', '\u0003', '']) {
      const refused = await add(answer)
      expect(refused.code).toBe(2)
      expect(refused.stderr).toContain(`key is ${device.hostFingerprint}`)
      expect(refused.stderr).toContain('Is this the right fingerprint? [y/N]')
      expect(refused.stderr).toContain('The host key was not confirmed; nothing was sent to the device')
    }
    // A program that reads JSON is not asked.
    expect((await add('yes\n', '--json')).json(errorDocument).error.code).toBe('HOST_KEY_UNKNOWN')
    const added = await add('yes\n')
    expect(added.code).toBe(0)
    expect(added.stdout).toContain(`host key   ${device.hostFingerprint}`)
  })

  it('refuses another fingerprint than the expected one', async () => {
    const wrong = `SHA256:${'A'.repeat(43)}`
    const result = await edgesmith('device', 'add', 'board', address, '--key', device.keyPath, '--host-key', wrong, '--json')
    expect({ exit: result.code, code: result.json(errorDocument).error.code }).toEqual({ exit: 2, code: 'HOST_KEY_MISMATCH' })
  })
})

describe('an added device', () => {
  it('is kept with its confirmed key, listed and probed', async () => {
    const added = await edgesmith(
      'device',
      'add',
      'board',
      address,
      '--key',
      device.keyPath,
      '--host-key',
      device.hostFingerprint,
      '--json',
    )
    expect({ code: added.code, stderr: added.stderr }).toEqual({ code: 0, stderr: '' })
    expect(added.json(z.looseObject({}))).toMatchObject({ name: 'board', hostKey: device.hostFingerprint, report: { fits: true } })
    const listed = (await edgesmith('device', 'list', '--json')).json(z.object({ devices: z.array(z.object({ name: z.string() })) }))
    expect(listed.devices.map(({ name }) => name).sort()).toEqual(['board', 'this-computer'])
    const again = await edgesmith('device', 'add', 'board', address, '--key', device.keyPath, '--json')
    expect(again.json(errorDocument).error.code).toBe('NAME_TAKEN')
    expect((await edgesmith('device', 'probe', 'board')).stdout).toMatch(/^free disk +\d/m)
  })

  it('gets the agent once, and measures', async () => {
    const sent = z.looseObject({ sentBytes: z.number(), totalBytes: z.number() })
    expect((await edgesmith('device', 'prepare', 'board', '--json')).json(sent).sentBytes).toBeGreaterThan(1_000_000)
    expect((await edgesmith('device', 'prepare', 'board', '--json')).json(sent).sentBytes).toBe(0)
    const evaluated = await edgesmith('evaluate', files.model, '--data', files.labelled, '--device', 'board', '--json')
    expect(evaluated.json(evaluateDocument).metrics.accuracy).toBeCloseTo(ACCURACY, 9)
    const benched = await edgesmith(
      'bench',
      'small',
      '--runs',
      '60',
      '--warmup-runs',
      '2',
      '--warmup-seconds',
      '0',
      '--device',
      'board',
      '--json',
    )
    expect(benched.json(benchDocument).samples).toBe(60)
  })

  it('serves through a tunnel that lives as long as the program that opened it', async () => {
    expect((await edgesmith('deploy', 'small', '--device', 'board', '--name', 'tiny')).code).toBe(0)
    const tunnel = startCli(['connect', 'tiny', '--json'], { workspace, folder })
    await tunnel.waitFor('stdout', '\n}\n')
    const { url, token } = z.object({ url: z.string(), token: z.string() }).parse(JSON.parse(tunnel.written.stdout))
    expect((await fetch(`${url}/health`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
    tunnel.child.kill('SIGINT')
    expect((await tunnel.ended).code).toBe(0)
    await expect(fetch(`${url}/health`)).rejects.toThrow()
    expect((await edgesmith('status', 'tiny', '--json')).json(z.looseObject({})).state).toBe('running')
  })

  it('is removed without a trace', async () => {
    const removed = await edgesmith('device', 'remove', 'board', '--json')
    expect(removed.json(z.object({ device: z.string(), removedBytes: z.number() })).removedBytes).toBeGreaterThan(1_000_000)
    expect(device.processes().filter(({ command }) => command.includes('agent'))).toEqual([])
    expect((await edgesmith('device', 'probe', 'board', '--json')).json(errorDocument).error.code).toBe('NOT_FOUND')
  })

  it('whose host key has changed is told how to be forgotten, and can be added again with its new key', async () => {
    const other = await startSshDevice()
    try {
      const add = (key: string) =>
        edgesmith('device', 'add', 'set-up-anew', `${other.user}@${other.host}:${other.port}`, '--key', other.keyPath, '--host-key', key)
      expect((await add(other.hostFingerprint)).code).toBe(0)
      const newKey = await other.changeHostKey()
      const refused = await edgesmith('device', 'remove', 'set-up-anew', '--json')
      const { error } = refused.json(errorDocument)
      expect({ exit: refused.code, code: error.code }).toEqual({ exit: 2, code: 'HOST_KEY_CHANGED' })
      expect(error.message).toContain(other.hostFingerprint)
      expect(error.message).toContain(newKey)
      const command = 'device remove set-up-anew --keep-files'
      expect(error.hint).toContain(`edgesmith ${command}`)
      expect((await edgesmith(...command.split(' '))).code).toBe(0)
      expect((await add(newKey)).code).toBe(0)
      expect((await edgesmith('device', 'remove', 'set-up-anew')).code).toBe(0)
    } finally {
      await other.stop()
    }
  })

  it('that cannot be reached is a failure of the work, exit code 1', async () => {
    // The discard port: nothing listens there.
    const result = await edgesmith('device', 'add', 'ghost', 'pi@127.0.0.1:9', '--key', device.keyPath, '--json')
    expect({ exit: result.code, code: result.json(errorDocument).error.code }).toEqual({ exit: 1, code: 'DEVICE_UNREACHABLE' })
  })
})
