/** Type a model computes its activations in, the coarsest where there are several. */
export type Precision = 'int8' | 'float16' | 'float32'

/** One output of a model over all samples. */
export interface OutputValues {
  readonly name: string
  /** Element type that the model gives. */
  readonly type: string
  /** [samples, …] where values can be told apart by sample, else [number of values]. */
  readonly shape: readonly number[]
  /** Distance of two neighbouring values of the 8-bit grid that the output is on; null where it is on none. */
  readonly step: number | null
  readonly values: Float32Array
}

/** An inner tensor of a model: what a layer gives. */
export interface LayerValues {
  readonly layer: string
  readonly op: string
  readonly precision: Precision
  readonly tensor: string
  /** Tensors of other layers that it reads. */
  readonly inputs: readonly string[]
  readonly step: number | null
  readonly values: Float32Array
}

/** What a model gave on one machine. The contract's `outputsResultSchema` fits. */
export interface MachineOutputs {
  readonly samples: number
  readonly precision: Precision
  readonly outputs: readonly OutputValues[]
  /** In graph order. */
  readonly layers: readonly LayerValues[]
}

/** What decides which kernels a machine runs. */
export interface ParityMachine {
  /** As Node.js names it: `x64`, `arm64`. */
  readonly architecture: string
  /** As Linux names them. */
  readonly cpuFeatures: readonly string[]
}
