import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatasetSource, Preprocessing } from '../../../src/contract/dataset.ts'
import { writeNpz } from '../../../src/core/datasets/write-npz.ts'
import type { MeasureContext } from '../../../src/engine/measure/benchmark.ts'
import { type EvaluateRequest, evaluate } from '../../../src/engine/measure/evaluate.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'

/** An array of a dataset, row-major. */
type FixtureArray = readonly [shape: number[], values: Float32Array | Int32Array]

/** Models and datasets in a folder of their own, evaluated with the real runtime. */
export class EvaluationFixture {
  readonly folder: string
  private readonly datasets = new Map<string, DatasetSource>()
  /** Lines of the log of the last evaluation. */
  log: string[] = []

  private constructor(folder: string) {
    this.folder = folder
  }

  static async make(): Promise<EvaluationFixture> {
    return new EvaluationFixture(await mkdtemp(join(tmpdir(), 'edgesmith-evaluation-')))
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }

  modelPath(name: string): string {
    return join(this.folder, `${name}.onnx`)
  }

  model(name: string, bytes: Uint8Array): Promise<void> {
    return writeFile(this.modelPath(name), bytes)
  }

  /** A dataset in an .npz file. */
  async dataset(name: string, arrays: Readonly<Record<string, FixtureArray>>, preprocessing: Preprocessing = {}): Promise<void> {
    const path = join(this.folder, `${name}.npz`)
    const members = Object.entries(arrays).map(([array, [shape, values]]) => ({
      name: array,
      type: values instanceof Float32Array ? ('float32' as const) : ('int32' as const),
      shape,
      bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    }))
    await writeFile(path, writeNpz(members))
    this.datasets.set(name, { format: 'npz', name, files: [{ role: 'samples', path }], preprocessing })
  }

  evaluate(model: string, dataset: string, changes: { baseline?: string; batch?: number } = {}) {
    const source = this.datasets.get(dataset)
    if (!source) throw new Error(`no dataset ${dataset}`)
    const { baseline, batch = 8 } = changes
    const request: EvaluateRequest = {
      model: this.modelPath(model),
      dataset: source,
      baseline: baseline && this.modelPath(baseline),
      batch,
      threads: 1,
    }
    this.log = []
    const context: MeasureContext = {
      reporter: { progress: () => {}, log: (text) => void this.log.push(text) },
      signal: new AbortController().signal,
      edgesmithVersion: '1.2.3',
    }
    return evaluate(request, onnxRuntime, context)
  }

  /** The error an evaluation ends with. */
  async failure(...parameters: Parameters<EvaluationFixture['evaluate']>): Promise<{ code: string; message: string; hint?: string }> {
    return this.evaluate(...parameters).then(
      () => {
        throw new Error('the evaluation did not fail')
      },
      (error) => error,
    )
  }
}
