import type { Worker, WorkerOptions } from 'node:worker_threads'
import type { JobReporter } from '../../contract/job.ts'
import type { Load, TensorRtRun } from '../../contract/measurement.ts'
import type { MachineWatch } from './machine-watch.ts'
import type { Samples } from './sample-recorder.ts'
import type { WarmUp } from './warm-up.ts'

/** What a scenario has around it. */
export interface ScenarioContext {
  readonly reporter: JobReporter
  readonly signal: AbortSignal
  readonly watch: MachineWatch
}

/** What a scenario found; the rest of a result is the same for all of them. */
export interface Measured extends Samples {
  /** From the first start to the last end. */
  readonly elapsedMs: number
  readonly loadMs: number
  readonly firstInferenceMs: number
  readonly warmUp: WarmUp
  readonly cpuMsPerInference: number
  readonly idleRssBytes: number
  readonly peakRssBytes: number
  readonly steadyRssBytes: number
  /** Since the end of warm-up; null where that is not known. */
  readonly memoryGrowthBytes: number | null
  readonly load: Load | null
  /** Only where TensorRT ran the model: memory and CPU time are trtexec's then. */
  readonly tensorRt?: TensorRtRun
  /** Assumptions and limits that belong to the numbers, a sentence each. */
  readonly notes: string[]
}

/** Programs a benchmark needs beside itself. Only who put the program together knows where they are. */
export interface BenchmarkPrograms {
  /** Starts a thread that runs {@link runStream}. */
  startStream(options: WorkerOptions): Worker
  /** Starts a thread that runs {@link runTelemetry}. */
  startTelemetry(options: WorkerOptions): Worker
  /** Starts the REST server for a model as a process of its own; settles when it is ready. */
  startServer(modelPath: string, threads: number, signal: AbortSignal): Promise<ServerUnderTest>
}

/** A REST server that is measured. */
export interface ServerUnderTest {
  readonly port: number
  readonly token: string
  readonly loadMs: number
  readonly firstInferenceMs: number
  /** Memory before the model was loaded. */
  readonly idleRssBytes: number
  /** Rejects when the server ends before it was stopped. */
  readonly failed: Promise<never>
  /** Ends it for sure, and removes what it needed. */
  stop(): Promise<void>
}
