import { describe, expect, it } from 'vitest'
import { buildArguments, type PlannedInput, planEngine, planTiming, timingArguments } from '../../../src/core/tensorrt/trtexec-plan.ts'
import { helpVersions, trtexecOf } from './fixture-text.ts'

const fixed: PlannedInput[] = [{ name: 'x', dims: [1, 3, 32, 32], dynamic: false }]
const open: PlannedInput[] = [
  { name: 'input:0', dims: [4, 3, 224, 224], dynamic: true },
  { name: 'mask', dims: [4, 128], dynamic: true },
  { name: 'anchors', dims: [9, 2], dynamic: false },
]
const shapes = "'input:0':4x3x224x224,mask:4x128"
const openShapes = [`--minShapes=${shapes}`, `--optShapes=${shapes}`, `--maxShapes=${shapes}`]
const plain = { fp16: true, hasQdq: false, hasFloat16: false, workspaceMiB: 2048 }
const timing = { warmUpMs: 2000, iterations: 1100, seconds: 0 }

/** The whole calls for a float model with open shapes, version by version. */
const golden: Record<(typeof helpVersions)[number], { build: string[]; time: string[] }> = {
  '7.1': {
    build: ['--onnx=m', '--saveEngine=e', '--explicitBatch', ...openShapes, '--workspace=2048', '--fp16', '--buildOnly'],
    time: [
      '--loadEngine=e',
      '--exportTimes=t',
      '--explicitBatch',
      `--shapes=${shapes}`,
      '--warmUp=2000',
      '--duration=0',
      '--iterations=1100',
      '--useSpinWait',
      '--avgRuns=100',
    ],
  },
  '8.0': {
    build: ['--onnx=m', '--saveEngine=e', '--timingCacheFile=c', ...openShapes, '--workspace=2048', '--fp16', '--buildOnly'],
    time: [
      '--loadEngine=e',
      '--exportTimes=t',
      `--shapes=${shapes}`,
      '--warmUp=2000',
      '--duration=0',
      '--iterations=1100',
      '--useSpinWait',
      '--avgRuns=100',
    ],
  },
  '8.2': {
    build: ['--onnx=m', '--saveEngine=e', '--timingCacheFile=c', ...openShapes, '--workspace=2048', '--fp16', '--buildOnly'],
    time: [
      '--loadEngine=e',
      '--exportTimes=t',
      `--shapes=${shapes}`,
      '--warmUp=2000',
      '--duration=0',
      '--iterations=1100',
      '--useSpinWait',
      '--avgRuns=100',
    ],
  },
  '8.4': {
    build: ['--onnx=m', '--saveEngine=e', '--timingCacheFile=c', ...openShapes, '--memPoolSize=workspace:2048', '--fp16', '--buildOnly'],
    time: [
      '--loadEngine=e',
      '--exportTimes=t',
      `--shapes=${shapes}`,
      '--warmUp=2000',
      '--duration=0',
      '--iterations=1100',
      '--useSpinWait',
      '--avgRuns=100',
    ],
  },
  '8.5': {
    build: ['--onnx=m', '--saveEngine=e', '--timingCacheFile=c', ...openShapes, '--memPoolSize=workspace:2048', '--fp16', '--buildOnly'],
    time: [
      '--loadEngine=e',
      '--exportTimes=t',
      `--shapes=${shapes}`,
      '--warmUp=2000',
      '--duration=0',
      '--iterations=1100',
      '--useSpinWait',
      '--avgRuns=100',
    ],
  },
  '8.6': {
    build: [
      '--onnx=m',
      '--saveEngine=e',
      '--timingCacheFile=c',
      ...openShapes,
      '--memPoolSize=workspace:2048',
      '--fp16',
      '--skipInference',
    ],
    time: [
      '--loadEngine=e',
      '--exportTimes=t',
      `--shapes=${shapes}`,
      '--warmUp=2000',
      '--duration=0',
      '--iterations=1100',
      '--useSpinWait',
      '--avgRuns=100',
    ],
  },
  '10.3': {
    build: [
      '--onnx=m',
      '--saveEngine=e',
      '--timingCacheFile=c',
      ...openShapes,
      '--memPoolSize=workspace:2048',
      '--fp16',
      '--skipInference',
    ],
    time: [
      '--loadEngine=e',
      '--exportTimes=t',
      `--shapes=${shapes}`,
      '--warmUp=2000',
      '--duration=0',
      '--iterations=1100',
      '--useSpinWait',
      '--avgRuns=100',
    ],
  },
  '10.13': {
    build: [
      '--onnx=m',
      '--saveEngine=e',
      '--timingCacheFile=c',
      ...openShapes,
      '--memPoolSize=workspace:2048',
      '--fp16',
      '--skipInference',
    ],
    time: [
      '--loadEngine=e',
      '--exportTimes=t',
      `--shapes=${shapes}`,
      '--warmUp=2000',
      '--duration=0',
      '--iterations=1100',
      '--useSpinWait',
      '--avgRuns=100',
    ],
  },
  '11.1': {
    build: ['--onnx=m', '--saveEngine=e', '--timingCacheFile=c', ...openShapes, '--memPoolSize=workspace:2048', '--skipInference'],
    time: [
      '--loadEngine=e',
      '--exportTimes=t',
      `--shapes=${shapes}`,
      '--warmUp=2000',
      '--duration=0',
      '--iterations=1100',
      '--includeDataTransfers',
      '--noCudaGraph',
      '--avgRuns=100',
    ],
  },
}

describe.each(helpVersions)('calls of trtexec %s', (version) => {
  const subject = (inputs: PlannedInput[]) => ({ ...trtexecOf(version), inputs })

  it('build and time a float model with open shapes', () => {
    const plan = planEngine(subject(open), plain)
    expect(buildArguments(subject(open), plan, { model: 'm', engine: 'e', timingCache: 'c' })).toEqual(golden[version].build)
    expect(timingArguments(planTiming(subject(open), timing), { engine: 'e', times: 't' })).toEqual(golden[version].time)
  })

  it('use only options of its help', () => {
    const { help } = trtexecOf(version)
    for (const hasQdq of [true, false]) {
      for (const fp16 of [true, false]) {
        for (const hasFloat16 of [true, false]) {
          const plan = planEngine(subject(open), { ...plain, fp16, hasQdq, hasFloat16 })
          const words = [
            ...buildArguments(subject(open), plan, { model: 'm', engine: 'e', timingCache: 'c' }),
            ...timingArguments(planTiming(subject(fixed), timing), { engine: 'e', times: 't' }),
          ]
          for (const word of words) {
            const name = word.split('=')[0] as string
            expect(help.get(name), word).toMatchObject({ deprecated: false })
          }
          // Without Q/DQ nodes an 8-bit engine would be good for timing only.
          expect(words.includes('--int8')).toBe(hasQdq && help.has('--int8'))
        }
      }
    }
  })

  it('say nothing of shapes that are fixed', () => {
    const words = [...planEngine(subject(fixed), plain).options, ...planTiming(subject(fixed), timing)]
    expect(words.filter((word) => /shapes/i.test(word))).toEqual([])
  })
})

describe('planEngine', () => {
  const of = (version: (typeof helpVersions)[number], changes: Partial<typeof plain>) =>
    planEngine({ ...trtexecOf(version), inputs: fixed }, { ...plain, ...changes })

  it('allows 8 bits for a model with Q/DQ nodes, and half precision where that is wanted', () => {
    expect(of('8.5', { hasQdq: true }).options).toEqual(['--memPoolSize=workspace:2048', '--fp16', '--int8'])
    expect(of('8.5', { hasQdq: true, fp16: false }).options).toEqual(['--memPoolSize=workspace:2048', '--int8'])
    expect(of('8.5', { fp16: false }).options).toEqual(['--memPoolSize=workspace:2048'])
    expect(of('8.5', { hasQdq: true }).notes).toEqual([])
  })

  it('keeps the types of a model with 16-bit tensors where no more half precision is wanted', () => {
    expect(of('10.3', { fp16: false, hasFloat16: true })).toEqual({
      options: ['--memPoolSize=workspace:2048', '--stronglyTyped'],
      notes: [],
    })
    const older = of('8.5', { fp16: false, hasFloat16: true })
    expect(older.options).toContain('--fp16')
    expect(older.notes).toEqual(['The model has 16-bit tensors, so TensorRT may compute all of it in half precision.'])
  })

  it('says that TensorRT 11 computes in the types of the model', () => {
    expect(of('11.1', {}).notes).toEqual([
      'TensorRT 11 computes in the types the model states, here in 32 bits. Make a build with the recipe fp16 for half precision.',
    ])
    expect(of('11.1', { hasFloat16: true }).notes).toEqual([])
    expect(of('11.1', { hasQdq: true, fp16: false })).toEqual({ options: ['--memPoolSize=workspace:2048'], notes: [] })
  })

  it('refuses input names that trtexec cannot read, where it must be told their shape', () => {
    for (const name of ['a,b', "a'b", 'a*', '']) {
      const inputs = [{ name, dims: [1], dynamic: true }]
      expect(() => planEngine({ ...trtexecOf('8.5'), inputs }, plain)).toThrowError(expect.objectContaining({ code: 'USAGE' }))
      expect(() => planEngine({ ...trtexecOf('8.5'), inputs: [{ name, dims: [1], dynamic: false }] }, plain)).not.toThrow()
    }
  })
})

describe('planTiming', () => {
  it('gives seconds as the version reads them', () => {
    const seconds = (version: (typeof helpVersions)[number]) =>
      planTiming({ ...trtexecOf(version), inputs: fixed }, { warmUpMs: 12.3, iterations: 10, seconds: 2.5 }).filter((word) =>
        /duration|warmUp/.test(word),
      )
    expect(seconds('8.2')).toEqual(['--warmUp=13', '--duration=3'])
    expect(seconds('8.4')).toEqual(['--warmUp=13', '--duration=2.5'])
  })
})
