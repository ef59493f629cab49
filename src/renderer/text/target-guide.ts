import type { Target } from '../../contract/names.ts'

/** What a target stands for. */
export interface TargetGuide {
  readonly title: string
  readonly machines: string
  readonly note: string
}

/** Kinds of processor that decide how a quantized graph must look. */
export const targetGuides = {
  x64: {
    title: 'x64',
    machines: 'Intel and AMD without VNNI',
    note: 'Weights are scaled so that sums of 8-bit products cannot overflow.',
  },
  'x64-vnni': {
    title: 'x64 with VNNI',
    machines: 'Intel from Ice Lake, AMD from Zen 4',
    note: 'Full 8-bit range; the largest gain from INT8.',
  },
  arm64: {
    title: 'ARM64',
    machines: 'Raspberry Pi 3 and 4',
    note: 'Symmetric 8-bit weights; expect a modest gain.',
  },
  'arm64-dotprod': {
    title: 'ARM64 with dot product',
    machines: 'Raspberry Pi 5, Jetson Orin (CPU)',
    note: 'Symmetric 8-bit weights on dot-product instructions; a good gain.',
  },
  tensorrt: {
    title: 'TensorRT',
    machines: 'Jetson GPU',
    note: 'Quantization only where TensorRT has kernels; the engine is built on the device.',
  },
} as const satisfies Record<Target, TargetGuide>
