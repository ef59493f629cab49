import type { ExportFormat } from '../../contract/export.ts'
import type { Model } from '../../contract/model.ts'
import type { Release } from '../../contract/service.ts'
import type { AgentBundle, BundleArchitecture } from '../../remote/agent-bundle.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import type { ExportFolder } from './export-folder.ts'
import type { ServedModel } from './served-model.ts'

/** What is exported, and what exporters can ask for. */
export interface ExportContext {
  /** Name of the service or client. */
  readonly service: string
  readonly model: Model
  /** The model's file here. */
  readonly modelPath: string
  /** How it is served; its `modelPath` is `model.onnx`, beside the file. */
  readonly release: Release
  /** The same as the file `release.json`, and its id. */
  readonly releaseText: string
  readonly releaseId: string
  /** The model as our server says it is, found by serving it here: signature, exact OpenAPI document, an example with its answer. */
  readonly served: ServedModel
  /** Of docker and package. */
  readonly architectures: readonly BundleArchitecture[]
  /** The agent for an architecture: Node, ONNX Runtime, our code. @throws EdgesmithError as `ensureAgentBundle` */
  readonly agent: (architecture: BundleArchitecture) => Promise<AgentBundle>
  /** Folder of the program, with `LICENSE` and `node_modules`. */
  readonly programRoot: string
  readonly edgesmithVersion: string
  readonly job: JobContext
}

/** Writes one format. */
export interface Exporter {
  /**
   * Writes all files; the frame makes the folder, `SHA256SUMS` and the result.
   * @returns what the user should know: what to run next, what was left out, what could not be checked here
   * @throws EdgesmithError `NOT_EXPORTABLE`
   */
  write(context: ExportContext, folder: ExportFolder): Promise<readonly string[]>
}

/** By format; those of clients come with their own folders. */
export type Exporters = Readonly<Record<ExportFormat, Exporter>>
