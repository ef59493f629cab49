import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { validationFailure, validationText } from '../../src/cli/validation-text.ts'
import { validation } from '../backend/report-document-fixture.ts'
import { callCli } from './cli-call.ts'
import { errorDocument } from './documents.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-cli-'))
})
afterAll(() => rm(folder, { recursive: true }))
const edgesmith = (...args: string[]) => callCli(args, { workspace: join(folder, 'workspace'), folder })

// What it finds on a real service: tests/integration/validate.test.ts.
describe('validate', () => {
  it('prints a line for each check, the load and warnings, for people', () => {
    const text = validationText(validation())
    expect(text).toContain('classifier on pi5 (fashion-cnn int8-static). Failed: load. Not checked: golden answers.')
    expect(text).toMatch(/^ok +answers +ok, ready, release 0123456789abcdef +\/health says ok with a model$/m)
    expect(text).toMatch(/^– +golden answers +not checked: the model takes or gives text/m)
    expect(text).toMatch(/^FAILED +load +p95 31\.0 ms, p99 64\.0 ms, 99\.2 requests a second +p95 at most 20\.0 ms$/m)
    expect(text).toContain('load: 1,003 requests at 99.2 a second, p50 4.20 ms, p95 31.0 ms, p99 64.0 ms, 2 errors')
    expect(text).toContain('warning: Other releases get some of the requests')
  })

  it('ends with 1 where a check failed, and only there', () => {
    expect(validationFailure(validation())).toMatchObject({
      code: 'GATE_FAILED',
      message: expect.stringContaining('1 of 3 checks of classifier failed: load (p95 31.0 ms'),
    })
    const checks = validation().checks.filter(({ passed }) => passed !== false)
    expect(validationFailure(validation({ checks, passed: true }))).toBeUndefined()
  })

  it.each([
    ['an unknown service', ['nothing'], 'NOT_FOUND'],
    ['a rate of nothing', ['nothing', '--rps', '0'], 'USAGE'],
    ['a report in no format', ['nothing', '--report', 'out.docx'], 'USAGE'],
    ['no service', [], 'USAGE'],
  ])('refuses %s with exit code 2', async (_name, args, code) => {
    const result = await edgesmith('validate', ...args, '--json')
    expect({ exit: result.code, code: result.json(errorDocument).error.code }).toEqual({ exit: 2, code })
  })
})
