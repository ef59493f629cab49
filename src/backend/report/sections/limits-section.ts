import type { Environment } from '../../../contract/environment.ts'
import type { ReportDocument } from '../../../contract/report.ts'
import { type Block, heading, list } from '../blocks/report-block.ts'
import { formatCounted } from '../quantities.ts'

/** Names that virtual machines and emulators give their hardware. */
const virtualMachine = /qemu|kvm|virtual|vmware|xen\b|bochs|hyper-?v|emulat/i

/** Fewer samples than this leave accuracies wide open: at 90 % the interval of 500 samples spans more than five points. */
const FEW_SAMPLES = 500

/** What the numbers do not say: first what is special about these, then what holds for all. */
export function limitBlocks(document: ReportDocument): Block[] {
  return [heading(2, 'What these numbers do not say'), list([...specialLimits(document), ...lastingLimits])]
}

const lastingLimits = [
  'What is not claimed: “no difference shown” does not mean equal.',
  'The numbers hold for this machine, this software and this data; another processor can turn them round.',
  'Each test stands for itself: among many builds about one in twenty shows a difference by chance.',
  'Memory is that of the whole measuring process, not of the model alone.',
]

function specialLimits({ comparisons, benchmarks, evaluations, analyses, matrices, devices }: ReportDocument): string[] {
  const own = new Set(comparisons.map(({ id }) => id))
  const inMatrix = new Set(matrices.flatMap(({ cells }) => cells.map(({ benchmarkId }) => benchmarkId)))
  const alone = benchmarks
    .filter(({ id }) => !inMatrix.has(id))
    .filter(({ comparisonId, sweepId }) => sweepId === null && (comparisonId === null || !own.has(comparisonId)))
  const noises = [...benchmarks.map(({ noise }) => noise), ...comparisons.flatMap(({ rows }) => rows.map(({ noise }) => noise))]
  const noisy = noises.filter(({ label }) => label === 'noisy').length
  const throttled = noises.filter(({ label }) => label === 'throttled').length
  const overloaded = benchmarks.filter(({ load }) => load?.overloaded).length
  const environments: Environment[] = [...comparisons, ...benchmarks, ...evaluations].map(({ environment }) => environment)
  const machines = [...new Set(environments.filter(isVirtual).map(({ machine, cpu }) => `${machine}, ${cpu}`))]
  const madeUp = analyses.filter((analysis) => analysis.kind === 'layers' && /made.?up|generated|random/i.test(analysis.result.inputs))
  const few = evaluations.filter(({ samples, task }) => task === 'classification' && samples < FEW_SAMPLES)
  return [
    ...(noisy > 0
      ? [
          `${formatCounted(noisy, 'run')} met a noisy machine: other programs took more than a tenth of it. Its latencies are too high and spread too far.`,
        ]
      : []),
    ...(throttled > 0
      ? [`${formatCounted(throttled, 'run')} met clocks that heat or power held down: a cooler board would be faster.`]
      : []),
    ...(alone.length > 1
      ? [
          'The single benchmarks ran at different times: what lies between them is partly the machine’s doing. Only a comparison takes turns.',
        ]
      : []),
    ...(matrices.some(({ models }) => models.length > 1)
      ? [
          'Builds of a matrix were measured one after the other on each device: a comparison, which takes turns, decides between close ones.',
        ]
      : []),
    ...(devices.length > 1 ? ['It ran on several machines: ratios between them are of machines, not of models.'] : []),
    ...(overloaded > 0
      ? [
          `In ${formatCounted(overloaded, 'run')} more requests arrived than could be answered: latencies there grow with the length of the run.`,
        ]
      : []),
    ...(machines.length > 0
      ? [`It ran on a virtual or emulated machine (${machines.join('; ')}): its neighbours and its emulation are in the times.`]
      : []),
    ...(madeUp.length > 0 ? ['Tensors of some layers were compared on made-up inputs: real data may meet other errors.'] : []),
    ...(few.length > 0
      ? [`${formatCounted(few.length, 'evaluation')} had fewer than ${FEW_SAMPLES} samples: small losses of accuracy cannot show there.`]
      : []),
    ...(comparisons.some(({ noiseFloor }) => noiseFloor === null)
      ? ['The baseline was not measured against itself in every comparison: how far two equal models can seem apart there is not known.']
      : []),
  ]
}

function isVirtual({ machine, cpu }: Environment): boolean {
  return virtualMachine.test(machine) || virtualMachine.test(cpu)
}
