import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pythonClient } from '../../../src/backend/export/clients/python-client.ts'
import { tsClient } from '../../../src/backend/export/clients/ts-client.ts'
import { ExportFolder } from '../../../src/backend/export/export-folder.ts'
import type { ExportContext, Exporter } from '../../../src/backend/export/exporter.ts'
import { type ReleaseFile, releaseSchema } from '../../../src/contract/service.ts'
import { serviceConfig, type TestService, TOKEN, testService } from '../../agent/service-fixture.ts'
import { identityModel, linearModel, multiInputModel } from '../../engine/measure/small-models.ts'

const run = promisify(execFile)
const projectRoot = join(import.meta.dirname, '../../..')

/** Names that would break out of strings, comments and type names. */
const hostile = "temp (°C) \"quoted\" \\ */ ''' 😀"
const classifier = linearModel('N', [
  [1, 2, 0],
  [1, 0, 2],
])
const services: Readonly<Record<string, readonly [Uint8Array, Partial<ReleaseFile>, object]>> = {
  'named-values': [
    classifier,
    {
      modelName: `Model ${hostile}`,
      labels: ['sum', 'a "b"', 'c'],
      embedding: null,
      fields: [
        { input: 'x', index: 0, name: hostile, min: -20, max: 60 },
        { input: 'x', index: 1, name: 'class', min: 0, max: null },
      ],
    },
    { fields: { [hostile]: 20, class: 1 } },
  ],
  'one-array': [
    identityModel('N', [2, 3]),
    {},
    {
      inputs: {
        x: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      },
    },
  ],
  'several-inputs': [multiInputModel(), {}, { inputs: { a: [1, 2], ids: [0, 3], flag: true } }],
}

let folder: string
const running: TestService[] = []
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-clients-'))
})
afterAll(async () => {
  for (const { service } of running) await service.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Serves a model and writes a client for it. */
async function exported(exporter: Exporter, name: string): Promise<{ readonly path: string; readonly environment: NodeJS.ProcessEnv }> {
  const [model, changes, request] = services[name] as (typeof services)[string]
  const served = await testService(model, changes)
  running.push(served)
  const ask = async (path: string) => (await served.send(path)).body
  const answer = await served.send('/predict', { body: request })
  expect(answer.status).toBe(200)
  const context = {
    service: name,
    release: releaseSchema.parse({ ...serviceConfig(model, changes) }),
    served: {
      info: await ask('/model_info'),
      openApi: await ask('/openapi.json'),
      example: { request, answer: answer.body },
      peakRssBytes: 0,
    },
    edgesmithVersion: '1.2.3',
  } as unknown as ExportContext
  const files = await ExportFolder.open(join(folder, `${name}-${exporter === pythonClient ? 'py' : 'ts'}`), new AbortController().signal)
  await exporter.write(context, files)
  const { folder: path } = await files.finish()
  const environment = { ...process.env, EDGESMITH_URL: `http://127.0.0.1:${served.port}`, EDGESMITH_TOKEN: TOKEN }
  return { path, environment }
}

const python = await run('python3', ['--version']).then(
  () => true,
  () => false,
)

describe.each(Object.keys(services))('clients of %s', (name) => {
  it.skipIf(!python)('Python: its own tests and example pass against the real server, with the standard library only', async () => {
    const { path, environment } = await exported(pythonClient, name)
    // -I: neither the user's packages nor the environment's.
    const tests = await run('python3', ['-W', 'error', '-S', '-m', 'unittest', 'discover', '-t', '.', '-s', 'tests'], {
      cwd: path,
      env: environment,
    })
    expect(tests.stderr).toMatch(/Ran 9 tests[\s\S]*OK\n$/)
    const { stdout } = await run('python3', ['-S', 'examples/predict.py'], { cwd: path, env: environment })
    expect(stdout).toMatch(/^outputs /m)
    expect(stdout).toMatch(/^release release-1 in [\d.]+ ms$/m)
  })

  it('TypeScript: compiles, its own tests and example pass against the real server', async () => {
    const { path, environment } = await exported(tsClient, name)
    symlinkSync(join(projectRoot, 'node_modules'), join(path, 'node_modules'))
    await run(process.execPath, [join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', path], { cwd: path })
    expect(readFileSync(join(path, 'dist/client.d.ts'), 'utf8')).toContain('export declare class Client')
    const tests = await run(process.execPath, ['--test', 'test/client.test.ts'], { cwd: path, env: environment })
    expect(tests.stdout).toMatch(/# pass 7\n# fail 0|ℹ pass 7\nℹ fail 0/)
    // The compiled program, as users of the package get it.
    const { stdout } = await run(process.execPath, ['dist/example.js'], { cwd: path, env: environment })
    expect(stdout).toMatch(/^outputs /m)
  })
})
