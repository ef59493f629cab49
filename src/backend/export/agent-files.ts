import type { BundleArchitecture } from '../../remote/agent-bundle.ts'
import type { ExportFolder } from './export-folder.ts'
import type { ExportContext } from './exporter.ts'

/** Of the bundle, what only devices need that are pushed to: they pin this installation's key. */
const notExported = new Set(['manifest.json', 'manifest.sig'])

/**
 * Node, ONNX Runtime and our server for each architecture, unpacked into a folder of their own.
 * @param folderOf name of an architecture's folder, with a slash at its end
 */
export async function writeAgents(
  folder: ExportFolder,
  { architectures, agent, job }: ExportContext,
  folderOf: (architecture: BundleArchitecture) => string,
): Promise<void> {
  for (const [index, architecture] of architectures.entries()) {
    job.progress({ phase: 'writing the server', done: index, total: architectures.length, unit: 'architectures' })
    const { files } = await agent(architecture)
    for (const { name, gzipPath, sha256, executable } of files) {
      if (!notExported.has(name)) await folder.unzip(`${folderOf(architecture)}${name}`, gzipPath, { executable, sha256 })
    }
  }
}
