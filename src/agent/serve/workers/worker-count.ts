/** What is known of a machine and of a model that shall have threads there. */
export interface WorkerRoom {
  /** Processors this process may use. */
  readonly processors: number
  /** Of the machine, or what this process may use of it. */
  readonly memoryBytes: number
  /** Threads inside an operator of one copy. */
  readonly threads: number
  /** Of the model's file. */
  readonly modelBytes: number
}

/** A board has 4 or 8; a server with 64 would spend minutes on loading. */
const MOST_WORKERS = 8
/** Of the memory, for all copies together: the rest is for requests, other services and the system. */
const MEMORY_SHARE = 0.25
/**
 * A loaded model takes its weights, often once more in the order the kernels like (ONNX Runtime packs them), and values between the
 * operators. Measured on x64 with ONNX Runtime 1.30, resident memory for each thread more: 30 MiB for a file of 0.4 MiB, 50 for 4.5 (text
 * detection), 48 for 10.3 (text recognition). This and the next constant lie above all of them.
 */
const BYTES_PER_MODEL_BYTE = 3
/** A thread of Node with ONNX Runtime's own buffers and those of small models. */
const THREAD_BYTES = 40 * 2 ** 20

/**
 * How many threads run a model beside each other: as many as processors are there for, each with `threads` of them, and never so many that
 * their copies of the model take more than a quarter of the memory. The thread that answers needs no processor of its own: it works for
 * microseconds where a run takes milliseconds. At least 1.
 */
export function workerCount({ processors, memoryBytes, threads, modelBytes }: WorkerRoom): number {
  const copyBytes = modelBytes * BYTES_PER_MODEL_BYTE + THREAD_BYTES
  const byProcessors = Math.floor(processors / threads)
  const byMemory = Math.floor((memoryBytes * MEMORY_SHARE) / copyBytes)
  return Math.max(1, Math.min(MOST_WORKERS, byProcessors, byMemory))
}
