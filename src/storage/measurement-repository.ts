import { EdgesmithError } from '../contract/errors.ts'
import { type EvaluateResult, type Evaluation, evaluationSchema } from '../contract/evaluation.ts'
import { type Benchmark, type BenchResult, benchmarkSchema, type Comparison, comparisonSchema } from '../contract/measurement.ts'
import { type RunTelemetry, runTelemetrySchema } from '../contract/telemetry.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readJson } from './json-column.ts'

/** What a stored result belongs to. */
export interface MeasurementKey {
  readonly id: string
  readonly jobId: string
  readonly modelId: string
  readonly deviceId: string
  readonly comparisonId: string | null
  /** Of a benchmark that a sweep made. */
  readonly sweepId?: string
  readonly createdAt: string
}

interface ResultRow {
  id: string
  result: string
}

/** Benchmarks, evaluations and comparisons. Nothing is ever overwritten. */
export class MeasurementRepository {
  private readonly database: WorkspaceDatabase

  constructor(database: WorkspaceDatabase) {
    this.database = database
  }

  addBenchmark(key: MeasurementKey, result: BenchResult): Benchmark {
    const { latenciesMs, offsetsMs, telemetry, ...rest } = result
    const benchmark: Benchmark = { ...rest, sweepId: null, ...key }
    this.database
      .prepare(
        `insert into benchmarks (id, job_id, model_id, device_id, comparison_id, sweep_id, created_at, result, latencies, offsets, telemetry)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        key.id,
        key.jobId,
        key.modelId,
        key.deviceId,
        key.comparisonId,
        benchmark.sweepId,
        key.createdAt,
        JSON.stringify(benchmark),
        bytesOf(latenciesMs),
        bytesOf(offsetsMs),
        telemetry && JSON.stringify(telemetry),
      )
    return benchmark
  }

  addEvaluation(key: MeasurementKey, dataset: { readonly id: string; readonly name: string }, result: EvaluateResult): Evaluation {
    const { perSample, ...rest } = result
    const evaluation: Evaluation = { ...rest, ...key, datasetId: dataset.id, datasetName: dataset.name }
    const addArray = this.database.prepare('insert into evaluation_arrays (evaluation_id, name, type, sample_values) values (?, ?, ?, ?)')
    this.transaction(() => {
      this.database
        .prepare(
          `insert into evaluations (id, job_id, model_id, dataset_id, dataset_name, device_id, comparison_id, created_at, result)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          key.id,
          key.jobId,
          key.modelId,
          dataset.id,
          dataset.name,
          key.deviceId,
          key.comparisonId,
          key.createdAt,
          JSON.stringify(evaluation),
        )
      for (const [name, values] of Object.entries(perSample)) {
        addArray.run(key.id, name, values instanceof Int32Array ? 'int32' : 'float32', bytesOf(values))
      }
    })
    return evaluation
  }

  addComparison(comparison: Comparison): void {
    this.database
      .prepare('insert into comparisons (id, job_id, created_at, comparison) values (?, ?, ?, ?)')
      .run(comparison.id, comparison.jobId, comparison.createdAt, JSON.stringify(comparison))
  }

  /** Stores a whole comparison with its benchmarks and evaluations, or nothing. */
  transaction(work: () => void): void {
    this.database.transaction(work).immediate()
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  benchmark(id: string): Benchmark {
    const row = this.database.prepare<[string], ResultRow>('select id, result from benchmarks where id = ?').get(id)
    if (!row) throw new EdgesmithError('NOT_FOUND', `There is no benchmark ${id}`)
    return readJson(benchmarkSchema, row.result, `benchmark ${id}`)
  }

  benchmarks(modelId: string | undefined): Benchmark[] {
    return this.rows('benchmarks', modelId).map((row) => readJson(benchmarkSchema, row.result, `benchmark ${row.id}`))
  }

  evaluations(modelId: string | undefined): Evaluation[] {
    return this.rows('evaluations', modelId).map((row) => readJson(evaluationSchema, row.result, `evaluation ${row.id}`))
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  evaluation(id: string): Evaluation {
    const row = this.database.prepare<[string], ResultRow>('select id, result from evaluations where id = ?').get(id)
    if (!row) throw new EdgesmithError('NOT_FOUND', `There is no evaluation ${id}`)
    return readJson(evaluationSchema, row.result, `evaluation ${id}`)
  }

  /** The values of each sample that an evaluation keeps, by name (see `evaluateResultSchema`); empty for an unknown one. */
  evaluationArrays(id: string): EvaluateResult['perSample'] {
    const rows = this.database
      .prepare<[string], { name: string; type: string; sample_values: Buffer }>(
        'select name, type, sample_values from evaluation_arrays where evaluation_id = ?',
      )
      .all(id)
    return Object.fromEntries(
      rows.map(({ name, type, sample_values: blob }) => {
        // A copy, because a Buffer from the pool is not aligned to four bytes.
        const { buffer } = new Uint8Array(blob)
        return [name, type === 'int32' ? new Int32Array(buffer) : new Float32Array(buffer)]
      }),
    )
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  comparison(id: string): Comparison {
    const text = this.database.prepare<[string], string>('select comparison from comparisons where id = ?').pluck().get(id) as
      | string
      | undefined
    if (text === undefined) throw new EdgesmithError('NOT_FOUND', `There is no comparison ${id}`)
    return readJson(comparisonSchema, text, `comparison ${id}`)
  }

  comparisons(): Comparison[] {
    return this.database
      .prepare<[], { id: string; comparison: string }>('select id, comparison from comparisons order by created_at desc, rowid desc')
      .all()
      .map((row) => readJson(comparisonSchema, row.comparison, `comparison ${row.id}`))
  }

  /** Every latency sample of a benchmark in milliseconds. @throws EdgesmithError `NOT_FOUND` */
  latencies(benchmarkId: string): Float32Array {
    const blob = this.database.prepare<[string], Buffer>('select latencies from benchmarks where id = ?').pluck().get(benchmarkId) as
      | Buffer
      | undefined
    if (!blob) throw new EdgesmithError('NOT_FOUND', `There is no benchmark ${benchmarkId}`)
    // A copy, because a Buffer from the pool is not aligned to four bytes.
    return new Float32Array(new Uint8Array(blob).buffer)
  }

  /** When each sample of a benchmark began (or was due), milliseconds since the first; `null` for one that a version without them made. */
  offsets(benchmarkId: string): Float64Array | null {
    const blob = this.database.prepare<[string], Buffer | null>('select offsets from benchmarks where id = ?').pluck().get(benchmarkId) as
      | Buffer
      | null
      | undefined
    // A copy for the same reason as above, here to eight bytes.
    return blob ? new Float64Array(new Uint8Array(blob).buffer) : null
  }

  /** How the machine was during a benchmark; `null` where nothing was recorded. @throws EdgesmithError `NOT_FOUND` */
  telemetry(benchmarkId: string): RunTelemetry | null {
    const row = this.database
      .prepare<[string], { telemetry: string | null }>('select telemetry from benchmarks where id = ?')
      .get(benchmarkId)
    if (!row) throw new EdgesmithError('NOT_FOUND', `There is no benchmark ${benchmarkId}`)
    return row.telemetry === null ? null : readJson(runTelemetrySchema, row.telemetry, `telemetry of benchmark ${benchmarkId}`)
  }

  private rows(table: 'benchmarks' | 'evaluations', modelId: string | undefined): ResultRow[] {
    const where = modelId === undefined ? '' : 'where model_id = ?'
    const statement = this.database.prepare<string[], ResultRow>(
      `select id, result from ${table} ${where} order by created_at desc, rowid desc`,
    )
    return modelId === undefined ? statement.all() : statement.all(modelId)
  }
}

function bytesOf(values: Float32Array | Float64Array | Int32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}
