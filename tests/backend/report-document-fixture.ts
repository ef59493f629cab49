import { summarizeSamples } from '../../src/backend/report/document/sample-summary.ts'
import { statedLineage } from '../../src/backend/report/document/stated-lineage.ts'
import type { Analysis } from '../../src/contract/analysis.ts'
import type { Validation } from '../../src/contract/deployment.ts'
import type { Evaluation } from '../../src/contract/evaluation.ts'
import type { Matrix, MatrixCell } from '../../src/contract/matrix.ts'
import type { Benchmark, LatencyStatistics } from '../../src/contract/measurement.ts'
import { benchSettingsSchema } from '../../src/contract/measurement.ts'
import type { Model } from '../../src/contract/model.ts'
import type { ReportDocument, SampleSummary } from '../../src/contract/report.ts'
import type { Energy } from '../../src/contract/telemetry.ts'
import { comparison, ids, models } from './report-fixture.ts'

const { environment } = comparison()
const createdAt = '2025-01-02T03:04:05.000Z'

/** An id with a kind and a number in it. */
export function testId(kind: string, index: number): string {
  return `00000000-0000-4000-8000-${kind}${String(index).padStart(12 - kind.length, '0')}`
}

export function latency(p50: number): LatencyStatistics {
  return {
    mean: p50 * 1.02,
    std: p50 * 0.05,
    min: p50 * 0.9,
    max: p50 * 2,
    p50,
    p90: p50 * 1.08,
    p95: p50 * 1.12,
    p99: p50 * 1.4,
    p999: null,
    ci: { p50: [p50 * 0.99, p50 * 1.01], p95: [p50 * 1.1, p50 * 1.15], p99: [p50 * 1.3, p50 * 1.6] },
  }
}

/** Latencies around a median in a fixed pattern, some of them slow. */
export function latenciesAround(p50: number, count = 1000): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => p50 * (1 + 0.03 * Math.sin(index * 1.7) + (index % 97 === 0 ? 0.6 : 0)))
}

export function summaryOf(benchmarkId: string, p50: number): SampleSummary {
  const latencies = latenciesAround(p50)
  const offsets = Float64Array.from(latencies, (_, index) => index * p50)
  return summarizeSamples(benchmarkId, latencies, offsets)
}

export function benchmark(index: number, modelId: string, p50: number, changes: Partial<Benchmark> = {}): Benchmark {
  return {
    id: testId('b', index),
    jobId: testId('d', index),
    modelId,
    deviceId: 'local',
    comparisonId: null,
    sweepId: null,
    createdAt,
    settings: benchSettingsSchema.parse({}),
    latencyMs: latency(p50),
    throughputPerSecond: 1000 / p50,
    loadMs: 12.3,
    firstInferenceMs: 4.5,
    warmupRuns: 1500,
    steady: true,
    outlierShare: 0.011,
    noise: { label: 'quiet', reasons: [] },
    preflight: [
      { name: 'clock governor', found: 'performance', wanted: 'performance', ok: true },
      { name: 'load', found: '1.9', wanted: 'below 0.2', ok: false },
    ],
    load: null,
    cpuMsPerInference: p50 * 0.98,
    peakRssBytes: 61_000_000,
    idleRssBytes: 42_000_000,
    steadyRssBytes: 60_000_000,
    memoryGrowthBytes: 120_000,
    samples: 1000,
    environment,
    energy: null,
    tensorRt: null,
    warnings: [],
    ...changes,
  }
}

/** A sweep over three batch sizes and two thread counts. */
export function sweep(modelId: string): Benchmark[] {
  return [1, 2].flatMap((threads, row) =>
    [1, 4, 16].map((batch, column) =>
      benchmark(20 + row * 3 + column, modelId, (0.4 + batch) / threads, {
        sweepId: testId('5', 1),
        settings: benchSettingsSchema.parse({ scenario: 'batch', batch, threads }),
        throughputPerSecond: (1000 * batch * threads) / (0.4 + batch),
      }),
    ),
  )
}

export function classification(index: number, modelId: string, changes: Partial<Evaluation> = {}): Evaluation {
  const classes = 4
  const confusion = [90, 5, 3, 2, 4, 88, 6, 2, 0, 3, 95, 2, 1, 1, 8, 90]
  return {
    id: testId('e', index),
    jobId: testId('d', index),
    modelId,
    datasetId: testId('a', 1),
    datasetName: 'shapes-test',
    deviceId: 'local',
    comparisonId: null,
    createdAt,
    task: 'classification',
    samples: 400,
    metrics: {
      accuracy: 0.9075,
      accuracyCi95: [0.8752, 0.9321],
      top5: null,
      precisionMacro: 0.9074,
      recallMacro: 0.9075,
      f1Macro: 0.9071,
      calibrationError: 0.0312,
    },
    classification: {
      classes,
      correct: 363,
      unanswered: 0,
      perClass: Array.from({ length: classes }, (_, own) => ({
        class: own,
        support: 100,
        predicted: 100,
        precision: 0.9,
        recall: (confusion[own * 5] as number) / 100,
        f1: 0.9,
      })),
      confusion,
      topConfusions: [{ label: 3, predicted: 2, count: 8 }],
      calibration: {
        scores: 'logits',
        bins: Array.from({ length: 15 }, (_, bin) => ({
          from: bin / 15,
          to: (bin + 1) / 15,
          count: bin < 5 ? 0 : 40,
          confidence: (bin + 0.5) / 15,
          accuracy: Math.min(1, (bin + 1.2) / 15),
        })),
      },
    },
    regression: null,
    parity: null,
    durationMs: 812,
    environment,
    ...changes,
  }
}

export function regression(index: number, modelId: string): Evaluation {
  const edges = (low: number, high: number, bins: number) => Array.from({ length: bins + 1 }, (_, bin) => low + ((high - low) * bin) / bins)
  return classification(index, modelId, {
    task: 'regression',
    datasetName: 'houses',
    metrics: {
      r2: 0.912,
      r2Ci95: [0.9, 0.923],
      mae: 1.21,
      maeCi95: [1.15, 1.28],
      rmse: 1.72,
      rmseCi95: [1.6, 1.85],
      maxError: 9.4,
    },
    classification: null,
    regression: {
      width: 1,
      bias: -0.04,
      residuals: {
        predictedEdges: edges(0, 50, 10),
        residualEdges: edges(-10, 10, 8),
        counts: Array.from({ length: 80 }, (_, cell) => (Math.floor(cell / 10) === 4 ? 30 : cell % 7)),
      },
      perOutput: [{ output: 0, r2: 0.912, mae: 1.21, rmse: 1.72, maxError: 9.4 }],
    },
  })
}

export function parity(index: number, modelId: string, baselineModelId: string): Evaluation {
  return classification(index, modelId, {
    task: 'parity',
    datasetName: 'faces',
    metrics: { sqnrDb: 31.4, cosine: 0.99964, maxAbsDiff: 0.21, agreement: 0.985, agreementCi95: [0.97, 0.993] },
    classification: null,
    parity: {
      baselineModelId,
      outputs: [
        {
          name: 'boxes',
          type: 'float32',
          sqnrDb: 31.4,
          cosine: 0.99964,
          worstCosine: 0.991,
          maxAbsDiff: 0.21,
          meanAbsDiff: 0.004,
          agreement: null,
        },
        { name: 'scores', type: 'float32', sqnrDb: null, cosine: 1, worstCosine: 1, maxAbsDiff: 0, meanAbsDiff: 0, agreement: 0.985 },
      ],
    },
  })
}

/** One analysis of each kind. */
export function analyses(): Analysis[] {
  const key = (index: number) => ({
    id: testId('f', index),
    jobId: testId('d', index),
    modelId: ids.int8,
    baselineId: ids.baseline,
    datasetId: null,
    deviceId: 'local',
    createdAt,
  })
  const layer = (name: string, op: string, ms: number, macs: number | null, bytes: number, precision: string) => ({
    layer: name,
    op,
    kernels: [`${op} (NCHWc)`],
    precision,
    ms,
    macs,
    bytes,
  })
  return [
    {
      ...key(1),
      baselineId: null,
      kind: 'profile',
      result: {
        batch: 1,
        threads: 1,
        plainMs: 1.15,
        profiledMs: 1.3,
        runs: 50,
        kernels: [],
        byOp: [
          { kernel: 'QLinearConv', count: 4, ms: 0.8, macs: 4_500_000 },
          { kernel: 'MaxPool', count: 2, ms: 0.2, macs: null },
        ],
        byLayer: [
          layer('conv_1', 'Conv', 0.5, 3_000_000, 220_000, 'int8'),
          layer('conv_2', 'Conv', 0.3, 1_500_000, 400_000, 'float32'),
          layer('pool_1', 'MaxPool', 0.2, null, 90_000, 'int8'),
        ],
        peak: { gmacsFloat32: 22.5, gmacsInt8: 61, gbPerSecond: 9.8 },
        environment,
        warnings: [],
      },
    },
    {
      ...key(2),
      kind: 'layers',
      result: {
        baselineMs: 1.4,
        buildMs: 1.15,
        layers: [
          {
            layer: 'conv_1',
            op: 'Conv',
            baseline: { ms: 0.7, kernels: ['Conv (NCHWc)'], precision: 'float32' },
            build: { ms: 0.5, kernels: ['QLinearConv'], precision: 'int8' },
            lostMs: -0.2,
            sqnrDb: 34.2,
            maxAbsDiff: 0.04,
          },
          {
            layer: 'q_1',
            op: 'QuantizeLinear',
            baseline: null,
            build: { ms: 0.05, kernels: ['QuantizeLinear'], precision: 'int8' },
            lostMs: 0.05,
            sqnrDb: null,
            maxAbsDiff: null,
          },
        ],
        baselineGraph: { nodes: [], edges: [], truncated: false },
        buildGraph: { nodes: [], edges: [], truncated: false },
        samples: 8,
        inputs: 'made-up inputs',
        environment,
        warnings: [],
      },
    },
    {
      ...key(3),
      kind: 'slowdown',
      result: {
        baselineMs: 1.4,
        buildMs: 1.75,
        findings: [{ rule: 'few-channels', message: '2 convolutions have too few channels', nodes: ['conv_1'], lostMs: 0.25 }],
        nodes: [],
        kernels: [{ kernel: 'QLinearConv', baselineMs: 0, buildMs: 1.1 }],
        cpuFeatures: ['avx2'],
        advice: 'Keep it in float here.',
      },
    },
    {
      ...key(4),
      datasetId: testId('a', 1),
      kind: 'accuracy',
      result: {
        samples: 64,
        answers: { samples: 400, baselineAccuracy: 0.93, buildAccuracy: 0.907, changed: 21, pValue: 0.012 },
        findings: [{ rule: 'sharp-drop', message: 'conv_2 loses 12 dB', layers: ['conv_2'], classes: [3] }],
        layers: [
          { layer: 'conv_1', op: 'Conv', precision: 'int8', sqnrDb: 34.2, lostDb: 2.1 },
          { layer: 'conv_2', op: 'Conv', precision: 'int8', sqnrDb: 22.1, lostDb: 12.1 },
        ],
        classes: [{ class: 3, support: 100, baselineRecall: 0.95, buildRecall: 0.82, pValue: 0.003 }],
        accuracyDifference: -0.023,
        accuracyDifferenceCi95: [-0.041, -0.006],
        advice: 'Leave conv_2 in float: edgesmith optimize --set exclude=conv_2',
      },
    },
  ]
}

/** A model as a report holds it. */
export function reported({
  id,
  name,
  kind,
  sha256,
  sizeBytes,
  parentId,
  recipe,
  target,
  summary,
  report,
}: Model): ReportDocument['models'][number] {
  const { opset, parameters, producer, metadata } = report
  return {
    id,
    name,
    kind,
    sha256,
    sizeBytes,
    parentId,
    recipe,
    target,
    summary,
    opset,
    parameters,
    producer,
    statedLineage: statedLineage(metadata),
  }
}

/** A document with a comparison and nothing else. */
export function comparisonDocument(changes: Partial<ReportDocument> = {}): ReportDocument {
  return {
    format: 'edgesmith-report',
    version: 1,
    title: 'fashion-cnn int8-static against fashion-cnn on this-computer',
    createdAt: '2025-01-02T04:00:00.000Z',
    edgesmithVersion: '0.1.0',
    devices: [{ id: 'local', name: 'this-computer' }],
    models: models().map(reported),
    datasets: [],
    comparisons: [comparison()],
    benchmarks: [],
    evaluations: [],
    analyses: [],
    matrices: [],
    validations: [],
    samples: [],
    ...changes,
  }
}

/** A service that was checked: one check failed, one could not be made. */
export function validation(changes: Partial<Validation> = {}): Validation {
  return {
    id: testId('c', 1),
    deploymentId: testId('c', 2),
    service: 'classifier',
    deviceId: testId('7', 1),
    device: 'pi5',
    modelId: ids.int8,
    model: 'fashion-cnn int8-static',
    createdAt,
    passed: false,
    checks: [
      { name: 'answers', passed: true, measured: 'ok, ready, release 0123456789abcdef', limit: '/health says ok with a model' },
      {
        name: 'golden answers',
        passed: null,
        measured: 'not checked: the model takes or gives text',
        limit: 'what the model answers here',
      },
      { name: 'load', passed: false, measured: 'p95 31.0 ms, p99 64.0 ms, 99.2 requests a second', limit: 'p95 at most 20.0 ms' },
    ],
    load: {
      requestsPerSecond: 100,
      achievedPerSecond: 99.2,
      seconds: 10,
      connections: 6,
      requests: 1003,
      errors: 2,
      latencyMs: { p50: 4.2, p90: 18.5, p95: 31, p99: 64, max: 120, mean: 7.7 },
    },
    accuracy: { samples: 500, measured: 0.912, expected: 0.914, metric: 'accuracy' },
    warnings: ['Other releases get some of the requests: the checks are of the service as a whole.'],
    ...changes,
  }
}

/** A build's outputs on a board, against those of this computer. */
export function parityAnalysis(): Extract<Analysis, { kind: 'parity' }> {
  return {
    id: testId('f', 9),
    kind: 'parity',
    jobId: testId('d', 9),
    modelId: ids.int8,
    baselineId: null,
    datasetId: testId('a', 1),
    deviceId: testId('7', 1),
    createdAt,
    result: {
      samples: 64,
      inputs: 'shapes-test',
      outputs: [{ name: 'probabilities', shape: [64, 10], sqnrDb: 31.4, maxAbsDiff: 0.0421, meanAbsDiff: 0.0017, cosine: 0.999_64 }],
      top1Agreement: 0.984_375,
      layers: [
        { layer: 'conv1', op: 'Conv', sqnrDb: null, maxAbsDiff: 0, lostDb: null },
        { layer: 'conv2', op: 'Conv', sqnrDb: 38.2, maxAbsDiff: 0.21, lostDb: 106.3 },
        { layer: 'gemm', op: 'Gemm', sqnrDb: 36.1, maxAbsDiff: 0.4, lostDb: 2.1 },
      ],
      suspects: [{ layer: 'conv2', op: 'Conv', message: '38.2 dB behind it, 106.3 dB less than before it.' }],
      verdict: 'different',
      reason: 'Output "probabilities" has a signal to noise of 31.4 dB; rounding in int8 explains 40 dB and more.',
      advice: 'Evaluate the build on the device.',
      here: environment,
      there: { ...environment, hostname: 'pi5', machine: 'Raspberry Pi 5 Model B Rev 1.0', architecture: 'arm64', cpu: 'Cortex-A76' },
      warnings: ['Of 2 of 3 inner tensors only some values are compared, evenly spread.'],
    },
  }
}

/** Two builds on a board and on one that died. */
export function matrix(): Matrix {
  const cell = (modelId: string, deviceId: string, p50Ms: number | null): MatrixCell => ({
    modelId,
    deviceId,
    benchmarkId: p50Ms === null ? null : testId('b', Math.round(p50Ms * 100)),
    p50Ms,
    p50Ci: p50Ms === null ? null : [p50Ms * 0.98, p50Ms * 1.02],
    p95Ms: p50Ms === null ? null : p50Ms * 1.2,
    throughputPerSecond: p50Ms === null ? null : 1000 / p50Ms,
    peakRssBytes: p50Ms === null ? null : 80_000_000,
    energy: null,
    noise: p50Ms === null ? null : { label: 'quiet', reasons: [] },
    evaluationId: null,
    metric: p50Ms === null ? null : { name: 'accuracy', value: 0.912 },
    error: p50Ms === null ? { code: 'CONNECTION_LOST', message: 'The connection to the device broke', hint: 'Plug it in.' } : null,
  })
  const [pi, orin] = [testId('7', 1), testId('7', 2)]
  const measured: Energy = {
    measurable: true,
    grossMj: 21.5,
    netMj: 8.25,
    meanW: 6.1,
    idleW: 3.75,
    readings: 40,
    source: 'INA3221 VDD_IN',
    estimated: false,
  }
  return {
    id: testId('8', 1),
    jobId: testId('d', 8),
    createdAt,
    settings: benchSettingsSchema.parse({}),
    models: [
      { id: ids.baseline, name: 'fashion-cnn', sizeBytes: 1_750_000 },
      { id: ids.int8, name: 'fashion-cnn int8-static', sizeBytes: 448_000 },
    ],
    devices: [
      { id: pi, name: 'pi5', board: 'Raspberry Pi 5' },
      { id: orin, name: 'orin', board: null },
    ],
    dataset: { id: testId('a', 1), name: 'shapes-test' },
    cells: [
      cell(ids.baseline, pi, 10),
      { ...cell(ids.int8, pi, 4), energy: measured },
      { ...cell(ids.baseline, orin, 3.5), energy: { measurable: false, reason: 'there is no sensor' } },
      cell(ids.int8, orin, null),
    ],
  }
}

/** A document with something of everything. */
export function fullDocument(): ReportDocument {
  const benchmarks = [
    benchmark(1, ids.baseline, 1.4),
    benchmark(2, ids.int8, 1.15, {
      settings: benchSettingsSchema.parse({ scenario: 'server', rate: 200 }),
      noise: { label: 'noisy', reasons: ['other programs took 22 % of the processor'] },
      load: { offeredPerSecond: 200, answeredPerSecond: 199.2, serviceMs: latency(1.15), longestQueue: 3, overloaded: false, errors: 0 },
      warnings: ['machine was less than 90 % idle'],
    }),
    ...sweep(ids.int8),
  ]
  return comparisonDocument({
    title: 'Everything there is',
    datasets: [
      {
        id: testId('a', 1),
        name: 'shapes-test',
        samples: 400,
        sha256: ['cd'.repeat(32)],
        classNames: ['dot', 'line', 'ring', 'star'],
        split: null,
      },
    ],
    benchmarks,
    evaluations: [classification(1, ids.baseline), classification(2, ids.int8), regression(3, ids.int8), parity(4, ids.int8, ids.baseline)],
    analyses: [...analyses(), parityAnalysis()],
    matrices: [matrix()],
    validations: [validation()],
    samples: benchmarks.map(({ id, latencyMs }) => summaryOf(id, latencyMs.p50)),
  })
}

/** Text that would be markup, a formula, a terminal sequence and the end of a script element. */
export const hostileText = `=1+1"><script>alert(1)</script><img src=x onerror='alert(1)'> | [a](javascript:b) **c** &amp; \u001b[31m\u202ereversed\n</style></title>`

/** Fields that programs tell things apart by; everything else is free text from models, datasets and devices. */
const structural =
  /^(id|.*Id|format|version|createdAt|kind|task|verdict|label|scenario|sha256|test|metric|scores|edgesmithVersion|recipe|target|calibrator|inputs|split)$/

/** The same document with hostile text in every field that can hold any. */
export function withHostileText(document: ReportDocument): ReportDocument {
  return replaced(document, '') as ReportDocument
}

function replaced(value: unknown, key: string): unknown {
  if (typeof value === 'string') return structural.test(key) ? value : hostileText
  if (Array.isArray(value)) return value.map((entry) => replaced(entry, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, replaced(entry, name)]))
}
