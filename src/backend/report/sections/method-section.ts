import type { ReportDocument } from '../../../contract/report.ts'
import { type Block, heading } from '../blocks/report-block.ts'

/** How the numbers came about: only the parts that the report has numbers of. */
export function methodBlocks({ comparisons, benchmarks, evaluations, analyses, matrices, validations }: ReportDocument): Block[] {
  const timed = comparisons.length + benchmarks.length > 0
  const server = benchmarks.some(({ settings }) => settings.scenario === 'server' || settings.scenario === 'http')
  const tasks = new Set(evaluations.map(({ task }) => task))
  for (const { rows } of comparisons) if (rows.some(({ accuracyDifference }) => accuracyDifference !== null)) tasks.add('classification')
  const tensorRt = [...benchmarks, ...comparisons].some(({ settings }) => settings.runtime === 'tensorrt')
  const kinds = new Set(analyses.map(({ kind }) => kind))
  const rows: (readonly [string, string] | false)[] = [
    comparisons.length > 0 && [
      'Order',
      'Models take turns in blocks, forwards and then backwards (A B C, C B A, …), so that heat, changing clocks and other load meet all of them alike. Every block runs in a fresh process of its own, with nothing else of ours timed on that machine.',
    ],
    matrices.length > 0 && [
      'Several devices',
      'All devices work at the same time, each held by this job alone; devices that share a processor take turns. On a device builds are measured one after the other, each in a fresh process. The speed against the first build is the ratio of their medians; its interval holds whenever those of both medians do.',
    ],
    timed && [
      'Warm-up',
      'Nothing is timed before the warm-up named with each run is over. In a comparison the first block of each model is preceded by all of it, each later block by its share. Loading the model and the first inference are timed apart; over blocks their median is shown.',
    ],
    timed && [
      'Samples',
      'Every timed inference is kept, none is dropped as an outlier. A percentile is given only where the samples support it (59 for p95, 299 for p99, 2,995 for p99.9); its 95 % interval comes from order statistics (exact binomial) and takes successive inferences as independent, which they are only nearly.',
    ],
    server && [
      'Requests',
      'Requests arrive at random times at the stated rate (Poisson), whether or not earlier ones were answered. Latency counts from the moment a request was due, so that waiting behind a slow answer shows (no coordinated omission).',
    ],
    validations.length > 0 && [
      'Validation',
      'The service was asked as its users ask it. Requests of the schema check are made from its own OpenAPI document, and every answer is checked against that document. Golden answers are what the model gives on this computer. Accuracy is compared with an evaluation of the same model on the same samples. The load comes from the machine of the service itself, at the stated rate and at random times (Poisson), whether or not earlier requests were answered; latency counts from the moment a request was due. Service and load share that machine.',
    ],
    tensorRt && [
      'TensorRT',
      'Runs marked TensorRT were made with NVIDIA’s trtexec on the device: an engine built there for the shapes that were measured, timed in a process of its own after its warm-up, with random input values that trtexec makes up. A latency is the copy to the GPU, the computing and the copy back of one query, by CUDA events; waiting behind the query before is not part of it. The first inference is that of another fresh process. CUDA graphs are not used. Accuracy, where it is given, is that of ONNX Runtime.',
    ],
    comparisons.length > 0 && [
      'Speed-up',
      'Block medians of baseline and build are paired; the estimate is the trimmed mean of their log ratios, the 95 % interval a bootstrap over blocks (with fewer than six blocks a t interval). “Faster” or “slower” is said only when the interval excludes 1 and the estimate is more than 2 % away from it. Otherwise: no difference shown.',
    ],
    tasks.has('classification') && [
      'Accuracy',
      'Every model answered the same samples in the same order. Intervals of an accuracy are Wilson score intervals at 95 %. Whether two models differ is decided by the exact McNemar test on the samples that only one of them got right (p below 0.05). The calibration error is the mean gap between confidence and accuracy over 15 equally wide bins of confidence.',
    ],
    tasks.has('regression') && [
      'Error',
      'R², mean absolute and root mean square error are taken over all values of all samples; their 95 % intervals are percentile bootstraps over samples. A residual is what was predicted minus what is right.',
    ],
    tasks.has('parity') && [
      'Parity',
      'Outputs are compared with those of the baseline on the same samples: signal to noise is 20·log10(‖baseline‖ ÷ ‖baseline − build‖), the worst output counts.',
    ],
    kinds.has('parity') && [
      'Parity with this computer',
      'The same file runs on the same samples on the device and on this computer: outputs as any program gets them, inner tensors in further runs in which they are given out. Signal to noise is 20·log10(‖here‖ ÷ ‖here − there‖). Within rounding means above 90 dB where a model computes in float32, above 40 dB in float16 or 8 bits, or at most one step of an 8-bit grid away, with the same class for every sample. What a layer lost is the signal to noise of its worst input minus its own; an input that is the same on both machines counts as 144.5 dB.',
    ],
    (kinds.has('profile') || kinds.has('layers') || kinds.has('slowdown')) && [
      'Profile',
      'Times of single kernels come from the profiler of ONNX Runtime and are medians over the profiled runs; profiling itself slows a model down, so the time without it stands beside. Bytes are those of weights, inputs and outputs, as if each went to memory once.',
    ],
  ]
  return [heading(2, 'Method'), { kind: 'terms', rows: rows.filter((row) => row !== false) }]
}
