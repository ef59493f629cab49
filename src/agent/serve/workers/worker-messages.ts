import type { ErrorReport } from '../../../contract/errors.ts'
import type { NamedTensors, Port } from '../../../core/inference-runtime.ts'

/** What a model's thread is started with. */
export interface WorkerOrder {
  readonly modelPath: string
  /** What the file must be; null where that was checked. */
  readonly modelSha256: string | null
  /** Threads inside an operator. */
  readonly threads: number
}

/** What a model's thread is told: to run, to end after what it was told before. */
export type WorkerCommand = { readonly kind: 'run'; readonly id: number; readonly feeds: NamedTensors } | { readonly kind: 'end' }

/** What a model's thread answers: once `loaded` or `refused`, then for each run one of the others. */
export type WorkerReport =
  | { readonly kind: 'loaded'; readonly inputs: readonly Port[]; readonly outputs: readonly Port[] }
  | { readonly kind: 'refused'; readonly error: ErrorReport }
  | { readonly kind: 'ran'; readonly id: number; readonly outputs: NamedTensors }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorReport }
