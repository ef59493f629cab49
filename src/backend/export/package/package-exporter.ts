import type { ServiceSettingsFile } from '../../../contract/service.ts'
import { writeAgents } from '../agent-files.ts'
import type { ExportContext, Exporter } from '../exporter.ts'
import { writeLicences } from '../licences.ts'
import { writeModelDocuments } from '../model-documents.ts'
import { json, SERVICE_PORT, writeServiceFolder } from '../service-files.ts'
import { archive } from './archive.ts'
import { packageReadme } from './package-readme.ts'
import { configureProgram, startScript, stopScript, unitFile } from './start-script.ts'

/** One folder that needs nothing but Linux, and the same as one archive. */
export const packageExporter: Exporter = {
  async write(context, folder) {
    const { service, architectures } = context
    const below = `${service}/`
    const settings: ServiceSettingsFile = { service, host: '127.0.0.1', port: SERVICE_PORT }
    await writeAgents(folder, context, (architecture) => `${below}agent/${architecture}/`)
    await writeServiceFolder(folder, `${below}service/`, context, settings)
    await writeModelDocuments(folder, below, context)
    await folder.text(`${below}start.sh`, startScript(service), { executable: true })
    await folder.text(`${below}stop.sh`, stopScript, { executable: true })
    await folder.text(`${below}configure.cjs`, configureProgram)
    await folder.text(`${below}${service}.service`, unitFile(service))
    const missing = await writeLicences(folder, `${below}LICENSES/`, context)
    await folder.text(`${below}README.md`, packageReadme(context))
    await folder.text(`${below}manifest.json`, json(manifest(context)))
    await folder.sums(below)
    context.job.progress({ phase: 'packing the archive', done: 0, total: null, unit: '' })
    await folder.stream(`${service}.tar.gz`, archive(folder, below))
    return [
      `Next: copy ${service}.tar.gz to the machine, then tar -xzf ${service}.tar.gz && ${service}/start.sh`,
      `For Linux with glibc on ${architectures.map((architecture) => (architecture === 'x64' ? 'x86-64' : '64-bit ARM')).join(' and ')}.`,
      ...missing,
    ]
  },
}

/** What the package is, for programs. */
function manifest({ service, model, release, releaseId, served, architectures, edgesmithVersion }: ExportContext): object {
  return {
    service,
    release: releaseId,
    model: { name: model.name, sha256: model.sha256, sizeBytes: model.sizeBytes },
    accuracy: release.accuracy,
    edgesmithVersion,
    onnxRuntimeVersion: served.info.onnxruntime_version,
    architectures,
    port: SERVICE_PORT,
  }
}
