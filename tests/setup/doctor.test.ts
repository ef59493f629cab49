import { expect, test } from 'vitest'
import { runChecks } from '../../scripts/doctor-checks.mjs'
import { doctorCheckSchema } from '../../src/contract/doctor.ts'
import { temporaryFolder, writeFiles } from './temporary-folder.ts'

test('finds everything that the tests themselves run on', async () => {
  const checks = await runChecks()
  for (const check of checks) expect(doctorCheckSchema.parse(check)).toEqual(check)
  const found = Object.fromEntries(checks.map(({ name, status }) => [name, status]))
  expect(found).toMatchObject({ platform: 'ok', 'Node (runtime)': 'ok', 'npm dependencies': 'ok' })
  expect(checks.find(({ name }) => name === 'Node (runtime)')?.found).toMatch(/^22\./)
})

test('names what a fresh clone lacks, and what to do', async () => {
  const root = temporaryFolder()
  writeFiles(root, { 'package.json': { dependencies: { a: '1.0.0' } }, 'package-lock.json': { packages: {} }, 'src/a.ts': '' })
  const missing = (await runChecks(root)).filter(({ status }) => status === 'missing')
  const names = missing.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['Node (runtime)', 'npm dependencies', 'Electron']))
  for (const { fix } of missing) expect(fix).toBeTruthy()
})
