import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { ModelProto, NodeProto } from 'onnx-buf'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { correspondingKernels, gainsByNode } from '../../../src/core/explanation/corresponding-nodes.ts'
import { kernelLabel, type ModelProfile, nodeLabel, timesByNode } from '../../../src/core/explanation/model-profile.ts'
import { renameModel } from '../../../src/core/explanation/renamed-model.ts'
import type { NamedTensors } from '../../../src/core/inference-runtime.ts'
import { float, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { profileInterleaved, profileNodes } from '../../../src/engine/runtimes/node-profile.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { groupedMedian, readProfile } from '../../../src/engine/runtimes/profile-file.ts'
import { activationParameters, constant, model, pair, quantizedWeight, weights } from '../explanation/plain-models.ts'

const feed = (dims: readonly number[]): NamedTensors => {
  const length = dims.reduce((product, dim) => product * dim, 1)
  return { x: { type: 'float32', dims, values: Float32Array.from({ length }, (_, index) => Math.sin(index)) } }
}
const profile = (built: ModelProto, dims: readonly number[]) => profileNodes(encodeModel(built), feed(dims), { runs: 4, warmupRuns: 1 })
/** Each kernel with the nodes it computes. */
const origins = ({ kernels }: ModelProfile) => kernels.map((kernel) => [kernelLabel(kernel), kernel.nodes.map(nodeLabel).join(' ')])
const node = (op: string, inputs: string[], output: string, attributes = {}): NodeProto =>
  makeNode(op, inputs, [output], attributes, { name: op.toLowerCase() + output })

describe('profileNodes', () => {
  it('finds the nodes in a convolution fused with normalization, residual and ReLU, in blocks of channels', async () => {
    const normalization = ['scale', 'shift', 'mean', 'variance']
    const built = model(
      [1, 16, 8, 8],
      [
        node('Conv', ['x', 'w0', 'b0'], 'c0', { pads: [1, 1, 1, 1] }),
        node('Relu', ['c0'], 'r0'),
        node('Conv', ['r0', 'w1'], 'c1', { pads: [1, 1, 1, 1] }),
        node('BatchNormalization', ['c1', ...normalization], 'n1'),
        node('Add', ['n1', 'r0'], 'a1'),
        node('Relu', ['a1'], 'r1'),
        node('GlobalAveragePool', ['r1'], 'g'),
        node('Flatten', ['g'], 'y'),
      ],
      [
        weights('w0', [16, 16, 3, 3]),
        weights('b0', [16]),
        weights('w1', [16, 16, 3, 3]),
        ...normalization.map((name) => constant(name, [16], new Array(16).fill(1))),
      ],
      { y: [1, 16] },
    )
    const found = await profile(built, [1, 16, 8, 8])
    // Layout changes that ONNX Runtime placed belong to no node; blocks of channels exist on x64 only.
    const computing = origins(found).filter(([, nodes]) => nodes !== '')
    expect(computing.map(([, nodes]) => nodes)).toEqual([
      'convc0 relur0',
      'convc1 batchnormalizationn1 adda1 relur1',
      'globalaveragepoolg',
      'flatteny',
    ])
    expect(found.runs).toBe(4)
    expect(found.kernels.every(({ ms }) => ms >= 0)).toBe(true)
    const convolution = found.kernels.find(({ op }) => /Conv/.test(op))!
    expect(convolution.outputs[0]).toEqual({ type: 'float', shape: [1, 16, 8, 8] })
    expect(convolution.outputBytes).toBe(4 * 16 * 8 * 8)
  })

  it('finds the nodes of fusions in transformers', async () => {
    const gelu = [
      node('Div', ['m', 'root'], 'd'),
      node('Erf', ['d'], 'e'),
      node('Add', ['e', 'one'], 'f'),
      node('Mul', ['m', 'f'], 'h'),
      node('Mul', ['h', 'half'], 'g'),
    ]
    const built = model(
      [1, 4, 8],
      [
        node('MatMul', ['x', 'w'], 'p'),
        node('Add', ['p', 'b'], 'm'),
        ...gelu,
        node('LayerNormalization', ['g', 'ls', 'lb'], 'l', { axis: -1 }),
        node('Transpose', ['l'], 't', { perm: [0, 2, 1] }),
        node('MatMul', ['l', 't'], 'y'),
      ],
      [
        weights('w', [8, 8]),
        weights('b', [8]),
        constant('root', [], [Math.SQRT2]),
        constant('one', [], [1]),
        constant('half', [], [0.5]),
        weights('ls', [8]),
        weights('lb', [8]),
      ],
      { y: [1, 4, 4] },
    )
    const nodes = origins(await profile(built, [1, 4, 8])).map(([, named]) => named)
    expect(nodes).toContain('layernormalizationl')
    expect(nodes).toContain('transposet matmuly')
    const inGelu = gelu.map(({ name }) => name)
    const kernel = nodes.find((named) => named!.includes(inGelu[1]!))!
    for (const name of inGelu) expect(kernel).toContain(name)
    // No node of the model is lost.
    expect(new Set(nodes.join(' ').trim().split(/\s+/))).toEqual(new Set(built.graph!.node.map(({ name }) => name)))
  })

  it('finds the nodes of 8-bit kernels, with and without a change of layout', async () => {
    const w = quantizedWeight('w', [32, 16, 3, 3])
    const built = model(
      [1, 16, 8, 8],
      [
        w.node,
        ...pair('x', 'xd'),
        node('Conv', ['xd', 'w'], 'c', { pads: [1, 1, 1, 1] }),
        ...pair('c', 'cd'),
        node('Add', ['cd', 'cd'], 'a'),
        ...pair('a', 'y'),
      ],
      [...w.tensors, ...activationParameters],
      { y: [1, 32, 8, 8] },
    )
    const found = await profile(built, [1, 16, 8, 8])
    const named = (op: string) => found.kernels.filter((kernel) => kernel.op === op).map((kernel) => kernel.nodes.map(nodeLabel))
    expect(named('QLinearConv')).toHaveLength(1)
    expect(named('QLinearConv')[0]).toContain('convc')
    expect(named('QLinearAdd')[0]).toContain('adda')
    expect(named('QuantizeLinear')[0]).toContain('Q_xd')
    expect(named('DequantizeLinear')[0]).toContain('DQ_y')
    const times = timesByNode(found)
    expect(times.get('convc')).toBe(found.kernels.find(({ op }) => op === 'QLinearConv')!.ms)
    expect([...times.values()].reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(
      found.kernels.reduce((sum, { ms }) => sum + ms, 0),
      9,
    )
  })

  it('counts kernels of a loop with all rounds, once', async () => {
    const body = model([1], [node('Add', ['v', 'v'], 'w'), node('Identity', ['c'], 'again')], [], {}).graph!
    body.input = [makeValueInfo('i', 'int64', []), makeValueInfo('c', 'bool', []), makeValueInfo('v', 'float32', [1])]
    body.output = [makeValueInfo('again', 'bool', []), makeValueInfo('w', 'float32', [1])]
    const loop = node('Loop', ['rounds', '', 'x'], 'y')
    const attribute = makeNode('Constant', [], ['unused'], { value: constant('unused', [], [1]) }).attribute[0]!
    loop.attribute = [Object.assign(attribute, { name: 'body', type: 5, t: undefined, g: body })]
    const built = model([1], [loop], [makeTensor('rounds', 'int64', [], BigInt64Array.of(50n))], { y: [1] })
    const found = await profile(built, [1])
    const inner = found.kernels.filter(({ nodes }) => nodes.some(({ opType }) => opType === 'Add'))
    expect(inner).toHaveLength(1)
    expect(inner[0]!.nodes.map(nodeLabel)).toEqual(['addw'])
    const sum = found.kernels.reduce((total, { ms }) => total + ms, 0)
    expect(sum).toBeLessThanOrEqual(found.runMs * 1.5)
    expect(inner[0]!.ms).toBeGreaterThan(0)
  })

  it('takes names that would break the profile, and none', async () => {
    const built = model(
      [1, 2],
      [makeNode('Relu', ['x'], ['a"b\\c\n{}'], {}, { name: 'no"de\n,\\x_kernel_time' }), makeNode('Sigmoid', ['a"b\\c\n{}'], ['y'])],
      [],
      {
        y: [1, 2],
      },
    )
    expect(origins(await profile(built, [1, 2]))).toEqual([
      ['Relu', 'no"de\n,\\x_kernel_time'],
      ['Sigmoid', 'y'],
    ])
  })

  it('leaves nothing behind, and says what it cannot run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'edgesmith-nothing-left-'))
    for (const name of ['TMPDIR', 'TEMP', 'TMP']) vi.stubEnv(name, folder)
    try {
      const built = model([1, 2], [node('Relu', ['x'], 'y')], [], { y: [1, 2] })
      await profile(built, [1, 2])
      await expect(profileNodes(encodeModel(built), feed([1, 3]))).rejects.toMatchObject({ code: 'MODEL_RUN_FAILED' })
      const missing = model([1, 2], [node('Missing', ['x'], 'y')], [], { y: [1, 2] })
      await expect(profileNodes(encodeModel(missing), feed([1, 2]))).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED_OP' })
      expect(await readdir(folder)).toEqual([])
    } finally {
      vi.unstubAllEnvs()
      await rm(folder, { recursive: true })
    }
  })

  it('leaves nothing behind when its process ends in the middle of it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'edgesmith-nothing-left-'))
    const module = join(import.meta.dirname, '../../../src/engine/runtimes/node-profile.ts')
    const bytes = Buffer.from(encodeModel(model([1, 2], [node('Relu', ['x'], 'y')], [], { y: [1, 2] })))
    const program = `
      const { readdirSync } = await import('node:fs')
      const { profileNodes } = await import(${JSON.stringify(module)})
      const feeds = { x: { type: 'float32', dims: [1, 2], values: new Float32Array(2) } }
      const onRun = () => process.exit(readdirSync(${JSON.stringify(folder)}).length === 1 ? 130 : 1)
      await profileNodes(Buffer.from('${bytes.toString('base64')}', 'base64'), feeds, { onRun })`
    try {
      const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--no-warnings', '-e', program], {
        env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder },
        encoding: 'utf8',
      })
      expect([status, stderr]).toEqual([130, ''])
      expect(await readdir(folder)).toEqual([])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('profileInterleaved', () => {
  it('runs both models equally often, and pairs their kernels', async () => {
    const plain = model([1, 8], [node('MatMul', ['x', 'w'], 'm'), node('Relu', ['m'], 'y')], [weights('w', [8, 8])], { y: [1, 8] })
    const w = quantizedWeight('w', [8, 8])
    const quantized = model(
      [1, 8],
      [w.node, ...pair('x', 'xd'), node('MatMul', ['xd', 'w'], 'm'), ...pair('m', 'md'), node('Relu', ['md'], 'y')],
      [...w.tensors, ...activationParameters],
      { y: [1, 8] },
    )
    let calls = 0
    const [baseline, build] = await profileInterleaved(
      [plain, quantized].map((built) => ({ model: encodeModel(built), feeds: feed([1, 8]) })),
      { runs: 25, onRun: (done, total) => expect([++calls > 0, done <= total]).toEqual([true, true]) },
    )
    expect([baseline!.runs, build!.runs]).toEqual([25, 25])
    const rows = correspondingKernels(baseline!, build!)
    const row = rows.find(({ node: named }) => named === 'matmulm')!
    expect(row.baseline.map(({ op }) => op)).toEqual(['MatMul'])
    expect(row.build.map(({ op }) => op)).toEqual(['QLinearMatMul'])
    expect(gainsByNode(baseline!, build!).get('matmulm')).toBe(-row.lostMs)
    expect(rows.reduce((sum, { lostMs }) => sum + lostMs, 0)).toBeCloseTo(
      build!.kernels.reduce((sum, { ms }) => sum + ms, 0) - baseline!.kernels.reduce((sum, { ms }) => sum + ms, 0),
      9,
    )
  })
})

describe('correspondingKernels', () => {
  it('pairs nodes without names by the tensors they write', async () => {
    const nodes = (quantized: boolean) => [
      makeNode('MatMul', ['x', 'w'], [quantized ? 'raw' : 'm']),
      ...(quantized ? pair('raw', 'm') : []),
      makeNode('Sigmoid', ['m'], ['y']),
    ]
    const [plain, build] = [false, true].map((quantized) =>
      model([1, 8], nodes(quantized), [weights('w', [8, 8]), ...(quantized ? activationParameters : [])], { y: [1, 8] }),
    )
    const rows = correspondingKernels(await profile(plain!, [1, 8]), await profile(build!, [1, 8]))
    const row = rows.find(({ node: named }) => named === 'm')!
    expect([row.baseline, row.build].map((kernels) => kernels.map(({ op }) => op))).toEqual([['MatMul'], ['MatMul']])
    expect(
      rows.filter(({ node: named }) => named === 'y').map(({ baseline, build: kernels }) => [baseline.length, kernels.length]),
    ).toEqual([[1, 1]])
  })
})

describe('renameModel', () => {
  it('changes names only: outputs stay the same', async () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 6, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(names, async ([a, b, c, w, first, second]) => {
        const built = model(
          [1, 4],
          [
            makeNode('MatMul', ['x', w!], [a!], {}, { name: first! }),
            makeNode('LeakyRelu', [a!], [b!], { alpha: float(0.5) }, { name: second! }),
            makeNode('Add', [b!, a!], [c!]),
          ],
          [weights(w!, [4, 4])],
          { [c!]: [1, 4] },
        )
        fc.pre(![a, b, c, w].includes('x'))
        const copy = decodeModel(encodeModel(built), 'm')
        const given = renameModel(copy)
        const run = async (source: ModelProto, input: string, output: string) => {
          const loaded = await onnxRuntime.load(encodeModel(source))
          const results = await loaded.run({ [input]: feed([1, 4]).x! })
          await loaded.close()
          return results[output]!.values
        }
        expect(await run(copy, given.get('x')!, given.get(c!)!)).toEqual(await run(built, 'x', c!))
        expect(new Graph(copy).nodes.map(({ name }) => name)).toEqual(['n0', 'n1', 'n2'])
      }),
      { numRuns: 25 },
    )
  })
})

describe('readProfile', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgesmith-profile-file-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  const event = (name: string, ts: number, dur: number, cat = 'Node') => ({
    cat,
    name,
    ts,
    dur,
    args: { op_name: 'Relu', node_index: '1', output_size: '8', input_type_shape: [{ float: [1, 2] }] },
  })
  const read = async (lines: readonly unknown[], skip = 0) => {
    const path = join(folder, 'profile.json')
    await writeFile(path, `[\n${lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join(',\n')}\n]\n`)
    return readProfile(path, skip)
  }
  const run = (...events: object[]) => [...events, event('model_run', 0, 100, 'Session')]

  it('takes the median over runs behind the warm-up', async () => {
    const found = await read(
      [
        ...run(event('a_kernel_time', 0, 90)),
        ...run(event('a_kernel_time', 0, 5)),
        ...run(event('a_kernel_time', 0, 5)),
        ...run(event('a_kernel_time', 0, 7)),
      ],
      1,
    )
    expect(found).toMatchObject({
      runs: 3,
      kernels: [{ name: 'a', op: 'Relu', outputBytes: 8, inputs: [{ type: 'float', shape: [1, 2] }] }],
    })
    // 5, 5, 7: half of three values lies three quarters into those of 5.
    expect(found.kernels[0]!.ms).toBeCloseTo(0.00575, 9)
  })

  it('takes time inside a kernel off the kernel around it', async () => {
    const found = await read(run(event('inner_kernel_time', 10, 20), event('inner_kernel_time', 40, 20), event('loop_kernel_time', 5, 90)))
    const us = Object.fromEntries(found.kernels.map(({ name, ms }) => [name, Math.floor(ms * 1000)]))
    expect(us).toEqual({ loop: 50, inner: 40 })
  })

  it('reads what it can of anything', async () => {
    expect(
      await read([
        '{"cat":',
        'null',
        '3',
        '[]',
        { cat: 'Node' },
        { ...event('a_kernel_time', 0, 5), args: null },
        { ...event('b', -1, 5) },
        ...run(),
      ]),
    ).toMatchObject({
      runs: 1,
      kernels: [{ name: 'a', op: '', inputs: [], activationBytes: 0 }],
    })
    expect(await read([])).toEqual({ kernels: [], runMs: 0, runs: 0 })
  })
})

describe('groupedMedian', () => {
  it('spreads whole microseconds (worked example)', () => {
    expect(groupedMedian([3, 4, 3, 3])).toBeCloseTo(3 + 2 / 3, 12)
    expect(groupedMedian([7])).toBe(7.5)
    expect(groupedMedian([])).toBe(0)
  })

  it('lies within the microsecond of the median, and grows with every value', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 40 }), (values) => {
        const sorted = [...values].sort((a, b) => a - b)
        const lower = sorted[Math.floor((values.length - 1) / 2)]!
        const median = groupedMedian(values)
        expect(median).toBeGreaterThanOrEqual(lower)
        expect(median).toBeLessThanOrEqual(lower + 1)
        expect(groupedMedian(values.map((value) => value + 1))).toBeCloseTo(median + 1, 9)
      }),
    )
  })
})
