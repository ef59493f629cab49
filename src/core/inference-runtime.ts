import type { ElementType } from './onnx/data-types.ts'

/** Values of a tensor as the runtime takes and gives them: float16 as its 16 bits, bool as 0/1 bytes. */
export type TensorValues =
  | Float32Array
  | Float64Array
  | Uint16Array
  | Int16Array
  | Int8Array
  | Uint8Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | readonly string[]

/** A tensor at a model's boundary, row-major. */
export interface RuntimeTensor {
  readonly type: ElementType
  readonly dims: readonly number[]
  readonly values: TensorValues
}

/** Tensors by the name of the model input or output. */
export type NamedTensors = Readonly<Record<string, RuntimeTensor>>

/** How ONNX Runtime rewrites the graph before it runs. */
export type GraphOptimization = 'disabled' | 'basic' | 'extended' | 'all'

export interface LoadOptions {
  /** Default `all`: what the user's own program would run. */
  readonly optimization?: GraphOptimization
  /** Threads inside an operator; default 1. */
  readonly intraOpThreads?: number
  /**
   * Compute 8-bit products exactly, as most processors do. x64 processors without VNNI otherwise add two of them in 16 bits,
   * saturating, which is faster. Default false: what the user's own program would do here.
   */
  readonly exact8Bit?: boolean
}

/** A model input or output as the runtime sees it; a symbolic dimension is its name, an unknown one `undefined`. */
export interface Port {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly (number | string | undefined)[]
}

/** A loaded model. */
export interface LoadedModel {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /** Runs once. @throws an error with code `MODEL_RUN_FAILED` */
  run(feeds: NamedTensors): Promise<NamedTensors>
  /** Frees the native memory; the object cannot be used afterwards. */
  close(): Promise<void>
}

/**
 * What compression needs from an inference engine. Core is pure, so the engine passes this in
 * (`engine/runtimes/onnx-runtime.ts` is the implementation).
 */
export interface InferenceRuntime {
  /** Loads a model from the bytes of an .onnx file. @throws an error with code `MODEL_LOAD_FAILED`, `MODEL_UNSUPPORTED_OP`, `MODEL_UNSUPPORTED_OPSET` */
  load(model: Uint8Array, options?: LoadOptions): Promise<LoadedModel>
  /** The model as the runtime rewrites it at that level (constant folding, BatchNorm fusion at `basic`). */
  optimized(model: Uint8Array, level: 'basic' | 'extended' | 'all'): Promise<Uint8Array>
}
