import type { QuantizedType } from './affine-parameters.ts'

/** Kinds of processor that decide how a quantized graph must look (SPEC.md, "Target"). */
export type QuantizationTarget = 'x64' | 'x64-vnni' | 'arm64' | 'arm64-dotprod' | 'tensorrt'

/**
 * How scales of weights, which are always symmetric int8, are chosen. `pair-safe` keeps two products within 16 bits,
 * `reduced-range` does the same by using 7 bits only.
 */
export type WeightScale = 'pair-safe' | 'full-range' | 'reduced-range'

/** How a graph is quantized for a target. */
export interface TargetRules {
  readonly activationType: QuantizedType
  readonly activationSymmetric: boolean
  readonly weightScale: WeightScale
  /**
   * `around`: Q/DQ on inputs and outputs of every fused operator, ReLU and Clip folded into the output's range.
   * `inputs`: only on what a fused operator reads, a pair of its own for each reader.
   */
  readonly placement: 'around' | 'inputs'
  /** Bias as int32 with scale s_x·s_w, or left in float32. */
  readonly bias: 'int32' | 'float32'
  /** Whether ONNX Runtime on this kind of processor takes int8 activations as they are. */
  readonly signedKernels: boolean
}

const ONNX_RUNTIME_CPU = { activationSymmetric: false, placement: 'around', bias: 'int32' } as const

/**
 * Chosen by measurements (research on ONNX Runtime 1.30): on x64 without AVX-VNNI-INT8 only uint8 activations with int8
 * weights have fast kernels; without VNNI those saturate, hence pair-safe scales. arm64 has kernels for int8 with int8
 * that need a weight zero point of 0. TensorRT wants everything symmetric, and float bias.
 */
const RULES: Readonly<Record<QuantizationTarget, TargetRules>> = {
  x64: { ...ONNX_RUNTIME_CPU, activationType: 'uint8', weightScale: 'pair-safe', signedKernels: false },
  'x64-vnni': { ...ONNX_RUNTIME_CPU, activationType: 'uint8', weightScale: 'full-range', signedKernels: false },
  arm64: { ...ONNX_RUNTIME_CPU, activationType: 'int8', weightScale: 'full-range', signedKernels: true },
  'arm64-dotprod': { ...ONNX_RUNTIME_CPU, activationType: 'int8', weightScale: 'full-range', signedKernels: true },
  tensorrt: {
    activationType: 'int8',
    activationSymmetric: true,
    weightScale: 'full-range',
    placement: 'inputs',
    bias: 'float32',
    signedKernels: true,
  },
}

/** The rules for a target. */
export function targetRules(target: QuantizationTarget): TargetRules {
  return RULES[target]
}
