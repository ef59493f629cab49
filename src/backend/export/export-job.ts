import type { ExportResult } from '../../contract/export.ts'
import type { Model } from '../../contract/model.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { releaseSchema } from '../../contract/service.ts'
import { untilAborted } from '../../platform/cancellation.ts'
import { sha256Of } from '../../platform/file-hash.ts'
import { agentBundles } from '../devices/agent-bundles.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import type { Services } from '../services.ts'
import { composeRelease } from '../serving/compose-release.ts'
import { pythonClient } from './clients/python-client.ts'
import { tsClient } from './clients/ts-client.ts'
import { dockerExporter } from './docker/docker-exporter.ts'
import { ExportFolder } from './export-folder.ts'
import type { ExportContext, Exporters } from './exporter.ts'
import { kserveExporter } from './kserve/kserve-exporter.ts'
import { packageExporter } from './package/package-exporter.ts'
import { describeByServing } from './served-model.ts'
import { json, MODEL_FILE } from './service-files.ts'
import { tritonExporter } from './triton/triton-exporter.ts'

const exporters: Exporters = {
  docker: dockerExporter,
  triton: tritonExporter,
  kserve: kserveExporter,
  package: packageExporter,
  'python-client': pythonClient,
  'ts-client': tsClient,
}

/**
 * Writes a model in a format: a folder that is there whole or not at all.
 *
 * @throws EdgesmithError `FOLDER_NOT_EMPTY`, `FILE_NOT_WRITABLE`, `NO_SPACE`, `NOT_EXPORTABLE`, as `composeRelease` and `ensureAgentBundle`
 */
export async function exportModel(
  services: Services,
  model: Model,
  input: ProcedureArguments<'export.start'> & { readonly service: string },
  job: JobContext,
): Promise<ExportResult> {
  const { format, service } = input
  const folder = await ExportFolder.open(input.folder, job.signal)
  try {
    const { context, notes } = await exportContext(services, model, input, service, job)
    job.progress({ phase: `writing ${format}`, done: 0, total: null, unit: 'files' })
    const more = await exporters[format].write(context, folder)
    return { ...(await folder.finish()), notes: [...more, ...notes] }
  } finally {
    await folder.discard()
  }
}

async function exportContext(
  services: Services,
  model: Model,
  input: ProcedureArguments<'export.start'>,
  service: string,
  job: JobContext,
): Promise<{ context: ExportContext; notes: readonly string[] }> {
  const { layout, blobs } = services
  const modelPath = blobs.path(model.sha256)
  const { release: composed, notes } = await composeRelease(services, model, { ...input, deviceId: null }, job)
  const release = releaseSchema.parse({ ...composed, modelPath: MODEL_FILE })
  const releaseText = json(release)
  const releaseId = sha256Of(Buffer.from(releaseText, 'utf8')).slice(0, 16)
  job.progress({ phase: 'serving the model once', done: 0, total: null, unit: '' })
  const { agentFolder } = layout
  const served = await describeByServing({ service, release, releaseId, modelPath, agentFolder, signal: job.signal })
  const bundle = agentBundles(layout)
  const needs = { images: release.preprocessing.image !== undefined }
  const context: ExportContext = {
    service,
    model,
    modelPath,
    release,
    releaseText,
    releaseId,
    served,
    architectures: [...new Set(input.architectures)],
    // Compressing files for the cache goes on unseen when somebody cancels.
    agent: (architecture) => untilAborted(bundle(architecture, job, job.signal, needs), job.signal),
    programRoot: layout.root,
    edgesmithVersion: layout.version,
    job,
  }
  return { context, notes }
}
