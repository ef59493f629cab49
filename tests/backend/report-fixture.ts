import { benchSettingsSchema, type Comparison, type ComparisonRow } from '../../src/contract/measurement.ts'
import type { Model } from '../../src/contract/model.ts'
import { recipeSchema } from '../../src/contract/recipe.ts'

/** Identifiers of the fixture's models. */
export const ids = {
  baseline: '00000000-0000-4000-8000-000000000001',
  int8: '00000000-0000-4000-8000-000000000002',
  pruned: '00000000-0000-4000-8000-000000000003',
} as const

const edgesMs = [1, 1.1, 1.2, 1.3, 1.4, 1.5, 2.9]

/** A row with plausible numbers around a median, for tests to change. */
export function row(modelId: string, model: string, p50: number, changes: Partial<ComparisonRow> = {}): ComparisonRow {
  return {
    modelId,
    model,
    sha256: 'ab'.repeat(32),
    kind: 'build',
    recipe: 'int8-static',
    sizeBytes: 448_000,
    metrics: { accuracy: 0.912, accuracyCi95: [0.8988, 0.9237], top5: 0.998, f1Macro: 0.9117 },
    accuracyDifference: { difference: -0.001, onlyBaseline: 12, onlyBuild: 10, pValue: 0.832, agreement: 0.987 },
    latencyMs: {
      mean: p50 * 1.02,
      std: 0.08,
      min: p50 * 0.9,
      max: 2.9,
      p50,
      p90: p50 * 1.08,
      p95: p50 * 1.12,
      p99: null,
      p999: null,
      ci: { p50: [p50 * 0.99, p50 * 1.01], p90: [p50 * 1.07, p50 * 1.1], p95: [p50 * 1.1, p50 * 1.15] },
    },
    histogram: { edgesMs, counts: [20, 90, 60, 20, 8, 2] },
    samples: 200,
    throughputPerSecond: 1000 / p50,
    loadMs: 12.3,
    firstInferenceMs: 4.56,
    peakRssBytes: 61_000_000,
    cpuMsPerInference: p50,
    explanation: null,
    metricDifference: null,
    blockMediansMs: [p50 * 0.99, p50, p50 * 1.01],
    steadyRssBytes: 58_000_000,
    noise: { label: 'quiet', reasons: [] },
    speedup: { estimate: 2.15, ci95: [2.1, 2.2], verdict: 'faster', blocks: 10 },
    benchmarkId: '00000000-0000-4000-8000-00000000000a',
    evaluationId: '00000000-0000-4000-8000-00000000000b',
    warnings: [],
    ...changes,
  }
}

/** A baseline, a faster build without loss and a slower one that lost accuracy. */
export function comparison(changes: Partial<Comparison> = {}): Comparison {
  return {
    id: '00000000-0000-4000-8000-0000000000c1',
    jobId: '00000000-0000-4000-8000-0000000000d1',
    deviceId: 'local',
    device: 'this-computer',
    datasetId: '00000000-0000-4000-8000-0000000000e1',
    dataset: 'fashion-test',
    baseline: 'fashion-cnn',
    baselineId: ids.baseline,
    settings: benchSettingsSchema.parse({}),
    noiseFloor: null,
    environment: {
      hostname: 'bench',
      machine: 'QEMU Standard PC',
      architecture: 'x64',
      system: 'Debian GNU/Linux 12',
      cpu: 'Some Processor 2.4 GHz',
      cpuFeatures: ['avx2', 'fma'],
      logicalCores: 2,
      memoryBytes: 8_000_000_000,
      governor: null,
      loadAverage: 0.25,
      temperatureC: null,
      nodeVersion: 'v22.23.3',
      onnxRuntimeVersion: '1.30.0',
      edgesmithVersion: '0.1.0',
    },
    rows: [
      row(ids.baseline, 'fashion-cnn', 1.4, {
        kind: 'model',
        recipe: null,
        sizeBytes: 1_750_000,
        accuracyDifference: null,
        speedup: null,
        metrics: { accuracy: 0.913, accuracyCi95: [0.9, 0.925], top5: 0.998, f1Macro: 0.913 },
        histogram: { edgesMs, counts: [0, 0, 10, 120, 60, 10] },
      }),
      row(ids.int8, 'fashion-cnn int8-static', 1.15),
      row(ids.pruned, 'fashion-cnn prune-magnitude', 1.45, {
        recipe: 'prune-magnitude',
        metrics: { accuracy: 0.89, accuracyCi95: [0.876, 0.903], top5: null, f1Macro: 0.889 },
        accuracyDifference: { difference: -0.023, onlyBaseline: 60, onlyBuild: 14, pValue: 0.00001, agreement: 0.95 },
        speedup: { estimate: 0.8, ci95: [0.78, 0.82], verdict: 'slower', blocks: 10 },
        warnings: ['machine was less than 90 % idle'],
      }),
    ],
    createdAt: '2025-01-02T03:04:05.000Z',
    ...changes,
  }
}

/** The models behind {@link comparison}: an imported one and a build with a full summary. */
export function models(): Model[] {
  const report: Model['report'] = {
    sizeBytes: 1_750_000,
    sha256: 'ab'.repeat(32),
    irVersion: 8,
    producer: 'edgesmith',
    opset: 17,
    domains: {},
    inputs: [{ name: 'image', type: 'float32', shape: ['N', 1, 28, 28] }],
    outputs: [{ name: 'logits', type: 'float32', shape: ['N', 10] }],
    nodeCount: 12,
    opCounts: { Conv: 4 },
    initializerCount: 10,
    parameters: 431_000,
    parameterBytes: 1_724_000,
    zeroFraction: 0,
    weightTypes: { float32: 1_724_000 },
    macs: 5_000_000,
    uncountedNodes: 0,
    metadata: {},
    labels: null,
  }
  const imported: Model = {
    id: ids.baseline,
    name: 'fashion-cnn',
    kind: 'model',
    sha256: 'ab'.repeat(32),
    sizeBytes: 1_750_000,
    createdAt: '2025-01-01T00:00:00.000Z',
    report,
    parentId: null,
    recipe: null,
    target: null,
    summary: null,
    source: null,
  }
  return [
    imported,
    {
      ...imported,
      id: ids.int8,
      name: 'fashion-cnn int8-static',
      kind: 'build',
      parentId: ids.baseline,
      recipe: recipeSchema.parse([{ recipe: 'int8-static', calibrator: 'minmax', exclude: ['Softmax'] }]),
      target: 'x64',
      summary: {
        input: { sizeBytes: 1_750_000, sha256: 'ab'.repeat(32) },
        output: { sizeBytes: 448_000, sha256: 'cd'.repeat(32) },
        steps: [{ recipe: 'int8-static', durationMs: 812 }],
        target: 'x64',
        quantizedNodes: 6,
        fusedNodes: 5,
        skipped: [{ node: 'softmax_1', op: 'Softmax', reason: 'excluded by the recipe' }],
        sparsity: null,
        fidelity: { sqnrDb: 31.4, cosine: 0.99964, maxAbsDiff: 0.21, samples: 256, inputs: 'calibration' },
        calibrationSamples: 256,
        calibrator: 'minmax',
        calibratorTrials: [],
        tensors: [],
        weights: [],
        mixedPrecision: null,
        channelPruning: null,
        warnings: [],
        phases: [{ phase: 'calibrating', durationMs: 600 }],
        idleRssBytes: 70_000_000,
        peakRssBytes: 120_000_000,
        durationMs: 900,
      },
    },
  ]
}
