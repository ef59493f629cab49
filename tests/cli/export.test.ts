import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportResultSchema } from '../../src/contract/export.ts'
import { callCli } from './cli-call.ts'
import { startCli } from './cli-process.ts'
import { errorDocument } from './documents.ts'
import { type SmallFiles, writeSmallFiles } from './small-model.ts'

let folder: string
let files: SmallFiles
const edgesmith = (...args: string[]) => callCli(args, { workspace: join(folder, 'workspace'), folder })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-cli-export-'))
  files = await writeSmallFiles(folder)
})
afterAll(() => rm(folder, { recursive: true }))

describe('export', () => {
  it('writes a format, lists its files and says what to do next', async () => {
    const fields = [{ input: 'x', index: 0, name: 'first', min: -2, max: 2 }]
    await writeFile(join(folder, 'fields.json'), JSON.stringify(fields))
    const options = ['--format', 'triton', '--name', 'risk', '--fields', 'fields.json', '--data', files.unlabelled]
    const result = await edgesmith('export', files.model, ...options, '--out', 'out', '--json')
    expect(result.code).toBe(0)
    const document = result.json(exportResultSchema)
    expect(document.folder).toBe(join(folder, 'out'))
    expect(document.files.map(({ path }) => path)).toContain('model-repository/risk/config.pbtxt')
    expect(document.notes.join('\n')).toContain('Ranges of fields are not checked by Triton.')
    expect(await readFile(join(folder, 'out/model-repository/risk/config.pbtxt'), 'utf8')).toContain('name: "risk"')
    const people = await edgesmith('export', files.model, ...options, '--out', 'again')
    expect(people.stdout).toMatch(/^Wrote 4 files \(.*\) to .*again\n {2}README\.md \(/)
    expect(people.stdout).toContain('- Triton does not ask for a token')
  })

  it('refuses a folder with files, an unknown format and wrong fields', async () => {
    const codes: string[] = []
    for (const more of [
      ['--format', 'triton', '--out', '.'],
      ['--format', 'zip', '--out', 'never'],
      ['--format', 'triton', '--out', 'never', '--embedding', 'nothing'],
      ['--format', 'docker', '--out', 'never', '--arch', 'riscv'],
      ['--format', 'triton'],
    ]) {
      const result = await edgesmith('export', files.model, ...more, '--json')
      expect(result.code).toBe(2)
      codes.push(result.json(errorDocument).error.code)
    }
    expect(codes).toEqual(['FOLDER_NOT_EMPTY', 'USAGE', 'USAGE', 'USAGE', 'USAGE'])
    expect((await readdir(folder)).filter((name) => name.includes('never'))).toEqual([])
  })

  it('leaves nothing behind when it is cancelled', async () => {
    const place = { workspace: join(folder, 'workspace'), folder }
    const running = startCli(['export', files.model, '--format', 'package', '--arch', 'x64', '--out', 'cancelled'], place)
    await running.waitFor('stderr', 'assembling the agent')
    running.child.kill('SIGINT')
    expect((await running.ended).code).not.toBe(0)
    expect((await readdir(folder)).filter((name) => name.includes('cancelled'))).toEqual([])
  })
})
