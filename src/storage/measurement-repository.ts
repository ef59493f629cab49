import { EdgesmithError } from '../contract/errors.ts'
import {
  type Benchmark,
  type BenchResult,
  benchmarkSchema,
  type Comparison,
  comparisonSchema,
  type EvaluateResult,
  type Evaluation,
  evaluationSchema,
} from '../contract/measurement.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readJson } from './json-column.ts'

/** What a stored result belongs to. */
export interface MeasurementKey {
  readonly id: string
  readonly jobId: string
  readonly modelId: string
  readonly deviceId: string
  readonly comparisonId: string | null
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
    const { latenciesMs, ...rest } = result
    const benchmark: Benchmark = { ...rest, ...key }
    this.database
      .prepare(
        'insert into benchmarks (id, job_id, model_id, device_id, comparison_id, created_at, result, latencies) values (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(key.id, key.jobId, key.modelId, key.deviceId, key.comparisonId, key.createdAt, JSON.stringify(benchmark), bytesOf(latenciesMs))
    return benchmark
  }

  addEvaluation(key: MeasurementKey, dataset: { readonly id: string; readonly name: string }, result: EvaluateResult): Evaluation {
    const { predictions, labels, ...rest } = result
    const evaluation: Evaluation = { ...rest, ...key, datasetId: dataset.id, datasetName: dataset.name }
    this.database
      .prepare(
        `insert into evaluations (id, job_id, model_id, dataset_id, dataset_name, device_id, comparison_id, created_at, result, predictions, labels)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
        bytesOf(predictions),
        bytesOf(labels),
      )
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

  benchmarks(modelId: string | undefined): Benchmark[] {
    return this.rows('benchmarks', modelId).map((row) => readJson(benchmarkSchema, row.result, `benchmark ${row.id}`))
  }

  evaluations(modelId: string | undefined): Evaluation[] {
    return this.rows('evaluations', modelId).map((row) => readJson(evaluationSchema, row.result, `evaluation ${row.id}`))
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

  private rows(table: 'benchmarks' | 'evaluations', modelId: string | undefined): ResultRow[] {
    const where = modelId === undefined ? '' : 'where model_id = ?'
    const statement = this.database.prepare<string[], ResultRow>(
      `select id, result from ${table} ${where} order by created_at desc, rowid desc`,
    )
    return modelId === undefined ? statement.all() : statement.all(modelId)
  }
}

function bytesOf(values: Float32Array | Int32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}
