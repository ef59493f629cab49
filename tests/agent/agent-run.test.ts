import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseRequest } from '../../src/agent/run-command.ts'
import { AGENT_PROTOCOL_VERSION, agentMessageSchema, agentResultSchemas } from '../../src/contract/agent-protocol.ts'
import { EdgesmithError } from '../../src/contract/errors.ts'
import { writeNpz } from '../../src/core/datasets/write-npz.ts'
import { identityModel, linearModel, slowModel } from '../engine/measure/small-models.ts'
import { type AgentBundle, BUNDLE_VERSION, bundleAgent } from './agent-bundle.ts'
import { AgentProcess, isAlive } from './agent-process.ts'

let bundle: AgentBundle
const file = (name: string) => join(bundle.folder, name)

beforeAll(async () => {
  bundle = await bundleAgent()
  await writeFile(file('classifier.onnx'), identityModel('N', [3]))
  await writeFile(file('linear.onnx'), linearModel('N', [[1, 2]]))
  // One inference of it takes minutes: whatever ends sooner was ended.
  await writeFile(file('minutes.onnx'), slowModel(1024, 3000))
  const scores = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0)
  const labels = Int32Array.of(0, 1, 2, 2)
  await writeFile(
    file('data.npz'),
    writeNpz([
      { name: 'x', type: 'float32', shape: [4, 3], bytes: new Uint8Array(scores.buffer) },
      { name: 'labels', type: 'int32', shape: [4], bytes: new Uint8Array(labels.buffer) },
    ]),
  )
})
afterAll(() => bundle.remove())

const bench = (model: string, settings: object = {}) => ({
  command: 'bench',
  model: file(model),
  settings: { runs: 300, warmupRuns: 10, warmupSeconds: 0, ...settings },
})

describe('agent run', () => {
  it('greets, and passes the self-test', async () => {
    const agent = AgentProcess.run(bundle)
    const answer = await agent.answer({ command: 'self-test' })
    expect(agent.messages[0]).toEqual({ type: 'hello', protocol: AGENT_PROTOCOL_VERSION, pid: agent.child.pid, version: BUNDLE_VERSION })
    expect(answer).toMatchObject({ type: 'result' })
    const result = agentResultSchemas['self-test'].parse(answer.type === 'result' && answer.value)
    expect(result).toEqual({
      edgesmithVersion: BUNDLE_VERSION,
      nodeVersion: process.versions.node,
      onnxRuntimeVersion: '1.30.0',
      architecture: process.arch,
      maxAbsDiff: 0,
    })
    expect(await agent.ended).toEqual({ code: 0, signal: null })
    expect(agent.messages).toHaveLength(2)
  })

  it('benchmarks, with progress and every sample', async () => {
    const agent = AgentProcess.run(bundle)
    const answer = await agent.answer(bench('linear.onnx', { warmupSeconds: 0.3 }))
    expect(agent.stderr).toBe('')
    for (const message of agent.messages) expect(agentMessageSchema.parse(message)).toEqual(message)
    const result = agentResultSchemas.bench.parse(answer.type === 'result' && answer.value)
    expect(result.latenciesMs).toHaveLength(300)
    expect(result.latenciesMs.every((ms) => ms > 0)).toBe(true)
    expect(result.environment.edgesmithVersion).toBe(BUNDLE_VERSION)
    const phases = agent.messages.flatMap((message) => (message.type === 'progress' ? [message.progress.phase] : []))
    expect([...new Set(phases)]).toEqual(['preflight', 'load', 'warm-up', 'measure'])
  })

  it('evaluates', async () => {
    const dataset = { format: 'npz', name: 'data', files: [{ role: 'samples', path: file('data.npz') }], preprocessing: {} }
    const agent = AgentProcess.run(bundle)
    const answer = await agent.answer({ command: 'evaluate', model: file('classifier.onnx'), dataset, batch: 3 })
    const result = agentResultSchemas.evaluate.parse(answer.type === 'result' && answer.value)
    expect(result).toMatchObject({
      samples: 4,
      classification: { correct: 3, classes: 3 },
      metrics: { accuracy: 0.75, top5: null },
      parity: null,
    })
    expect(result.perSample.predictions).toEqual(Int32Array.of(0, 1, 2, 0))
    const beside = AgentProcess.run(bundle)
    const compared = await beside.answer({
      command: 'evaluate',
      model: file('classifier.onnx'),
      baseline: file('classifier.onnx'),
      dataset,
    })
    expect(agentResultSchemas.evaluate.parse(compared.type === 'result' && compared.value)).toMatchObject({
      metrics: { accuracy: 0.75, sqnrDb: null, agreement: 1 },
      parity: { outputs: [{ sqnrDb: null, maxAbsDiff: 0 }] },
    })
  })

  it('answers failures with their code, and ends with 1', async () => {
    const cases: [unknown, string][] = [
      [bench('missing.onnx'), 'FILE_NOT_FOUND'],
      [bench('data.npz'), 'MODEL_LOAD_FAILED'],
      [{ command: 'destroy' }, 'USAGE'],
      [{ ...bench('linear.onnx'), settings: { runs: 'many' } }, 'USAGE'],
      ['{"command":', 'USAGE'],
      ['', 'USAGE'],
      [`"${'x'.repeat(2 ** 25)}"`, 'USAGE'],
    ]
    await Promise.all(
      cases.map(async ([request, code]) => {
        const agent = AgentProcess.run(bundle)
        const answer = await agent.answer(request)
        expect(answer.type === 'error' && answer.error.code, JSON.stringify(request).slice(0, 80)).toBe(code)
        expect(await agent.ended).toEqual({ code: 1, signal: null })
        expect(agent.messages.map(({ type }) => type).filter((type) => type !== 'progress')).toEqual(['hello', 'error'])
      }),
    )
  })

  it('tells of a runtime that cannot be loaded, after the greeting', async () => {
    const native = file('onnxruntime_binding.node')
    await rename(native, `${native}.away`)
    await writeFile(native, 'not a library')
    try {
      const agent = AgentProcess.run(bundle)
      expect(await agent.answer({ command: 'self-test' })).toMatchObject({ type: 'error', error: { code: 'DEVICE_LIBRARY_MISSING' } })
      expect(agent.messages[0]?.type).toBe('hello')
    } finally {
      await rm(native)
      await rename(`${native}.away`, native)
    }
  })

  it('prints its version and its usage', () => {
    const run = (...operands: string[]) => spawnSync(process.execPath, [bundle.entry, ...operands], { encoding: 'utf8', env: {} })
    expect(run('--version')).toMatchObject({ status: 0, stdout: `${BUNDLE_VERSION}\n`, stderr: '' })
    for (const operands of [[], ['help'], ['run', 'x'], ['serve'], ['serve', 'a', 'b']]) {
      expect(run(...operands)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('Usage') })
    }
  })
})

describe('when the host goes away', () => {
  it('ends as soon as standard input closes, without an answer', async () => {
    const agent = AgentProcess.run(bundle)
    agent.write(JSON.stringify(bench('linear.onnx', { seconds: 3600 })))
    await agent.reached('measure')
    agent.child.stdin?.end()
    expect(await agent.ended).toEqual({ code: 130, signal: null })
    expect(agent.messages.at(-1)?.type).toBe('progress')

    const idle = AgentProcess.run(bundle)
    idle.child.stdin?.end()
    expect(await idle.ended).toEqual({ code: 130, signal: null })
  })

  it('ends in the middle of an inference that blocks it', async () => {
    const agent = AgentProcess.run(bundle)
    agent.write(JSON.stringify(bench('minutes.onnx')))
    await agent.reached('load')
    // The first inference follows the load at once; the next message would come after minutes, long after this test's time is over.
    await new Promise((resolve) => setTimeout(resolve, 500))
    agent.child.stdin?.end()
    // Killed when blocked; a slow machine may not have got that far.
    expect([
      { code: null, signal: 'SIGKILL' },
      { code: 130, signal: null },
    ]).toContainEqual(await agent.ended)
  })

  it('ends when nobody reads its answers', async () => {
    const agent = new AgentProcess(bundle, ['run'])
    agent.write(JSON.stringify(bench('linear.onnx', { seconds: 3600, warmupSeconds: 60 })))
    agent.child.stdout?.destroy()
    expect((await agent.ended).code).toBe(1)
  })

  it('ends when its parent is killed', async () => {
    const program = `
      const { spawn } = require('node:child_process')
      const agent = spawn(process.execPath, [${JSON.stringify(bundle.entry)}, 'run'], { stdio: ['pipe', 'pipe', 'inherit'] })
      agent.stdin.write(${JSON.stringify(`${JSON.stringify(bench('linear.onnx', { seconds: 3600 }))}\n`)})
      agent.stdout.on('data', (text) => { if (String(text).includes('"measure"')) process.stdout.write(agent.pid + '\\n') })
    `
    const parent = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(parent.stdout, 'data')
    const pid = Number(String(line).split('\n')[0])
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false)
  })
})

describe('requests', () => {
  it('are accepted or refused with USAGE, whatever the line', () => {
    const known = fc.constantFrom('self-test', 'bench', 'evaluate', 'bench ', '__proto__')
    const request = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ command: known, model: fc.oneof(fc.string(), fc.jsonValue()), settings: fc.jsonValue() })
        .map((value) => JSON.stringify(value)),
    )
    fc.assert(
      fc.property(request, (line) => {
        try {
          expect(Object.keys(agentResultSchemas)).toContain(parseRequest(line).command)
        } catch (error) {
          if (!(error instanceof EdgesmithError)) throw error
          expect(error.code).toBe('USAGE')
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('get their defaults', () => {
    expect(parseRequest('{"command":"bench","model":"/m","settings":{}}')).toEqual({
      command: 'bench',
      model: '/m',
      settings: {
        scenario: 'single',
        batch: 1,
        threads: 1,
        runs: 1000,
        warmupRuns: 100,
        warmupSeconds: 2,
        connections: 1,
        streams: 1,
        runtime: 'onnxruntime',
        fp16: true,
      },
    })
  })
})
