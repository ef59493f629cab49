import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { matrixText } from '../../src/cli/matrix-text.ts'
import { parityText } from '../../src/cli/parity-text.ts'
import { matrixSchema } from '../../src/contract/matrix.ts'
import { parityResultSchema } from '../../src/contract/parity.ts'
import { matrix, parityAnalysis } from '../backend/report-document-fixture.ts'
import { type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { callCli } from './cli-call.ts'
import { errorDocument } from './documents.ts'
import { type SmallFiles, writeSmallFiles } from './small-model.ts'

let folder: string
let files: SmallFiles
let board: SshDevice
const edgesmith = (...args: string[]) => callCli(args, { workspace: join(folder, 'workspace'), folder })
const quick = ['--runs', '70', '--warmup-runs', '2', '--warmup-seconds', '0']

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-cli-'))
  files = await writeSmallFiles(folder)
  board = await startSshDevice()
  const address = `${board.user}@${board.host}:${board.port}`
  const added = await edgesmith('device', 'add', 'board', address, '--key', board.keyPath, '--host-key', board.hostFingerprint, '--json')
  expect({ code: added.code, stderr: added.stderr }).toEqual({ code: 0, stderr: '' })
  // Sent once, so that no test waits for it.
  expect((await edgesmith('device', 'prepare', 'board', '--json')).code).toBe(0)
}, 120_000)
afterAll(async () => {
  await board.stop()
  await rm(folder, { recursive: true })
}, 60_000)

describe('matrix', () => {
  it('measures on all devices named, prints a row for each cell, and writes a report', async () => {
    const result = await edgesmith('matrix', files.model, '--device', 'board, this-computer', ...quick, '--report', 'out.md', '--json')
    expect(result.code).toBe(0)
    const found = result.json(matrixSchema.extend({ report: z.object({ path: z.string() }).loose() }))
    expect(found.devices.map(({ name }) => name)).toEqual(['board', 'this-computer'])
    expect(found.cells.every(({ p50Ms, error }) => p50Ms !== null && error === null)).toBe(true)
    expect(await readFile(found.report.path, 'utf8')).toContain('# small on 2 devices')
    const listed = await edgesmith('runs')
    expect(listed.stdout).toMatch(/matrix +small +2 devices +2 of 2 measured/)
    const again = await edgesmith('report', found.id.slice(0, 8), '--out', 'again.json', '--json')
    expect(again.json(z.looseObject({}))).toMatchObject({ matrices: [found.id], benchmarks: [] })
  }, 120_000)

  it('shows failures and speeds for people', () => {
    const text = matrixText(matrix())
    expect(text).toMatch(/^device +model +p50 +95 % interval +speed against fashion-cnn +per second +answers +energy +machine$/m)
    expect(text).toMatch(
      /^pi5 +fashion-cnn int8-static +4\.00 ms +3\.92 ms – 4\.08 ms +2\.50× \(2\.40× – 2\.60×\) +250 +91\.20 % +21\.5 mJ, 8\.25 mJ of it above idle +quiet$/m,
    )
    expect(text).toMatch(/^orin +fashion-cnn int8-static +CONNECTION_LOST/m)
    expect(text).toContain('failed: orin, fashion-cnn int8-static: CONNECTION_LOST: The connection to the device broke')
  })

  it.each([
    ['no device', () => ['matrix', files.model], 'USAGE'],
    ['an empty name', () => ['matrix', files.model, '--device', 'board,'], 'USAGE'],
    ['an unknown device', () => ['matrix', files.model, '--device', 'board,nowhere'], 'NOT_FOUND'],
  ])('refuses %s with exit code 2', async (_name, args, code) => {
    const result = await edgesmith(...args(), '--json')
    expect({ exit: result.code, code: result.json(errorDocument).error.code }).toEqual({ exit: 2, code })
  })
})

describe('parity', () => {
  it('compares a device with this computer, and passes limits that identical outputs meet', async () => {
    const args = ['parity', 'small', '--device', 'board', '--data', files.labelled, '--samples', '6', '--min-sqnr-db', '60']
    const result = await edgesmith(...args, '--json')
    expect(result.code).toBe(0)
    const found = result.json(parityResultSchema.extend({ device: z.string(), gates: z.array(z.looseObject({})) }))
    expect(found).toMatchObject({
      verdict: 'identical',
      samples: 6,
      device: 'board',
      gates: [{ gate: 'min-sqnr-db', found: null, passed: true }],
    })
    const text = await edgesmith(...args)
    expect(text.stdout).toContain('small on board against this computer: identical.')
    expect(text.stdout).toContain('ok      signal to noise identical, at least 60.0 dB')
    expect(text.stdout).toMatch(/Every one of \d+ inner tensors is the same on both\./)
  }, 120_000)

  it('names layers, reasons and advice for people when outputs differ', () => {
    const text = parityText('net', 'pi5', parityAnalysis().result)
    expect(text).toContain('net on pi5 against this computer: different. Output "probabilities" has a signal to noise of 31.4 dB')
    expect(text).toContain('Same class for 98.44 % of the samples.')
    expect(text).toMatch(/^conv2 +Conv +38\.2 dB +106\.3 dB +0\.210$/m)
    expect(text).toContain('  1. conv2 (Conv): 38.2 dB behind it, 106.3 dB less than before it.')
    expect(text).toContain('Evaluate the build on the device.')
    expect(text).toContain('warning: Of 2 of 3 inner tensors')
  })

  it.each([
    ['this computer', () => ['parity', 'small', '--device', 'this-computer'], 'USAGE'],
    ['no device', () => ['parity', 'small'], 'USAGE'],
    ['a share beyond 1', () => ['parity', 'small', '--device', 'board', '--min-agreement', '2'], 'USAGE'],
  ])('refuses %s with exit code 2', async (_name, args, code) => {
    const result = await edgesmith(...args(), '--json')
    expect({ exit: result.code, code: result.json(errorDocument).error.code }).toEqual({ exit: 2, code })
  })
})
