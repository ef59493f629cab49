import type { ParityMachine } from './machine-outputs.ts'
import type { ComparedLayer } from './parity-layers.ts'

/** A layer that is likely responsible, with the reason in words. */
export interface ParitySuspect {
  readonly layer: string
  readonly op: string
  readonly message: string
}

/** What is named; more would not be looked at. */
const MOST_SUSPECTS = 5
/** A layer that loses less than this adds no more noise than it got: 3 dB are twice the noise power. */
const NOTABLE_DB = 3
/** Operators that multiply matrices, whose sums depend on the kernel. */
const MATRIX_OPS = /^(Conv|ConvTranspose|Gemm|MatMul|MatMulNBits|LSTM|GRU|RNN|QLinear(Conv|MatMul)|QGemm|ConvInteger|MatMulInteger)$/
/** Approximated by polynomials; kernels differ in them. */
const APPROXIMATED = /^(Erf|Exp|Gelu|FastGelu|HardSigmoid|Log|Pow|Sigmoid|Softmax|LogSoftmax|Sqrt|Tanh|LayerNormalization)$/

/**
 * The layers behind which two machines are suddenly further apart than before, worst first: those that give values finite on one machine
 * only, then by {@link ComparedLayer.lostDb}. A layer whose inputs are apart already is only suspected of what it adds.
 */
export function paritySuspects(layers: readonly ComparedLayer[], here: ParityMachine, there: ParityMachine): ParitySuspect[] {
  const broken = new Set(layers.filter(({ kind }) => kind === 'broken' || kind === 'misfit').map(({ values }) => values.tensor))
  const first = layers.filter(({ values }) => broken.has(values.tensor) && !values.inputs.some((tensor) => broken.has(tensor)))
  const losing = layers.filter(({ lostDb }) => lostDb !== null && lostDb >= NOTABLE_DB).sort((a, b) => b.lostDb! - a.lostDb!)
  return [...first, ...losing].slice(0, MOST_SUSPECTS).map((layer) => {
    const { values } = layer
    return { layer: values.layer, op: values.op, message: `${whatHappens(layer)} ${reasonOf(layer, here, there)}` }
  })
}

function whatHappens({ kind, sqnrDb, lostDb }: ComparedLayer): string {
  if (kind === 'broken') return 'Gives values that are finite on one machine and not on the other.'
  if (kind === 'misfit') return 'Gives another number of values on each machine.'
  return `${sqnrDb?.toFixed(1)} dB behind it, ${lostDb?.toFixed(1)} dB less than before it.`
}

function reasonOf({ values: { op, precision, step }, maxAbsDiff }: ComparedLayer, here: ParityMachine, there: ParityMachine): string {
  if (precision === 'int8') return int8Reason(op, step !== null && maxAbsDiff !== null ? maxAbsDiff / step : null, here, there)
  if (precision === 'float16' && hasHalfArithmetic(here) !== hasHalfArithmetic(there)) {
    const which = hasHalfArithmetic(there) ? 'the device' : 'this computer'
    return `Only ${which} has float16 arithmetic: there sums are rounded to float16 as they grow, elsewhere they are kept in float32.`
  }
  if (APPROXIMATED.test(op)) return `${op} is computed by an approximation, and each processor has its own.`
  if (MATRIX_OPS.test(op)) return `${kernelsText(here, there)} add the products of ${op} in another order.`
  return 'It computes nothing that should differ; look at what it reads.'
}

function int8Reason(op: string, steps: number | null, here: ParityMachine, there: ParityMachine): string {
  const [mine, theirs] = [saturates(here), saturates(there)]
  const beyondOne = steps === null || steps > 1.001
  if (MATRIX_OPS.test(op) && mine !== theirs && beyondOne) {
    const [which, other] = mine ? ['this computer', 'the device'] : ['the device', 'this computer']
    return `8-bit products: ${which} is x64 without VNNI and adds two of them in 16 bits, where large sums are cut off; ${other} adds them exactly.`
  }
  if (!beyondOne) return 'The values are at most one step of the 8-bit grid apart: kernels scale and round sums differently.'
  return `${kernelsText(here, there)} scale and round 8-bit sums differently.`
}

/** x64 without 8-bit dot products; see docs/compression.md. */
function saturates({ architecture, cpuFeatures }: ParityMachine): boolean {
  return architecture === 'x64' && !cpuFeatures.some((feature) => /^(avx512_vnni|avx_vnni|avx_vnni_int8|amx_int8)$/.test(feature))
}

/** arm64 with FEAT_FP16, or x64 with AVX512-FP16. */
function hasHalfArithmetic({ cpuFeatures }: ParityMachine): boolean {
  return cpuFeatures.some((feature) => /^(asimdhp|avx512_fp16)$/.test(feature))
}

function kernelsText(here: ParityMachine, there: ParityMachine): string {
  if (here.architecture !== there.architecture) return `Kernels for ${here.architecture} and ${there.architecture}`
  const only = (a: ParityMachine, b: ParityMachine) => a.cpuFeatures.filter((feature) => !b.cpuFeatures.includes(feature))
  const differing = [...only(here, there), ...only(there, here)]
  return differing.length > 0 ? `Kernels chosen by ${differing.slice(0, 4).join(', ')} (which only one machine has)` : 'The kernels'
}
