import { stringify } from 'yaml'
import { EdgesmithError } from '../../../contract/errors.ts'
import { containerSettings, memoryMebibytes } from '../docker/docker-exporter.ts'
import type { ExportFolder } from '../export-folder.ts'
import type { Exporter } from '../exporter.ts'
import { writeModelDocuments } from '../model-documents.ts'
import { writeModelRepository } from '../triton/triton-exporter.ts'
import { kserveReadme } from './kserve-readme.ts'
import {
  autoscaler,
  clusterHosts,
  clusterService,
  customInferenceService,
  deployment,
  type KubernetesOptions,
  kustomization,
  modelClaim,
  settingsMap,
  tritonInferenceService,
} from './kubernetes.ts'

/** Where manifests are applied unless somebody says otherwise; names of hosts follow from it. */
const namespace = 'default'

/** Manifests: plain Kubernetes (k3s too), KServe with our server, KServe with Triton. */
export const kserveExporter: Exporter = {
  async write(context, folder) {
    const { service, model, release } = context
    requireLetter(service)
    const options: KubernetesOptions = { service, memoryMebibytes: memoryMebibytes(context), threads: release.threads }
    const hosts = clusterHosts(service, namespace)
    // KServe routes to a service of its own name, and from outside by a name under the cluster's domain.
    const kserveHosts = [...hosts, ...clusterHosts(`${service}-predictor`, namespace), `${service}.${namespace}.example.com`]
    await writeManifests(folder, 'kubernetes/', service, true, {
      'settings.yaml': settingsMap(service, containerSettings(service, hosts)),
      'deployment.yaml': deployment(options),
      'service.yaml': clusterService(service),
      'autoscaler.yaml': autoscaler(service),
    })
    await writeManifests(folder, 'kserve/', service, true, {
      'settings.yaml': settingsMap(service, containerSettings(service, kserveHosts)),
      'inference-service.yaml': customInferenceService(options),
    })
    const claim = `${service}-models`
    const notes = await writeModelRepository(context, folder, 'kserve-triton/model-repository/')
    await writeManifests(folder, 'kserve-triton/', service, false, {
      'volume.yaml': modelClaim(claim, service, model.sizeBytes),
      'inference-service.yaml': tritonInferenceService(options, claim),
    })
    await writeModelDocuments(folder, '', context)
    await folder.text('README.md', kserveReadme(context, claim, notes))
    return [
      'kubernetes/ and kserve/ run the image of: edgesmith export MODEL --format docker. Push it, and write its name into kustomization.yaml.',
      ...notes.map((note) => `With Triton (kserve-triton/): ${note}`),
      'No cluster was at hand: the manifests were not applied. Tests of Edgesmith validate such ones against the schemas of Kubernetes 1.31 and KServe.',
    ]
  },
}

/** Names of Services are labels of RFC 1035. @throws EdgesmithError `NOT_EXPORTABLE` */
function requireLetter(service: string): void {
  if (/^[a-z]/.test(service)) return
  throw new EdgesmithError('NOT_EXPORTABLE', `Kubernetes has no services whose names begin with a digit, as "${service}" does`, {
    hint: 'Give another name, for example: --name model',
  })
}

async function writeManifests(
  folder: ExportFolder,
  below: string,
  service: string,
  withImage: boolean,
  manifests: Readonly<Record<string, object>>,
): Promise<void> {
  const yaml = (document: object) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })
  for (const [name, manifest] of Object.entries(manifests)) await folder.text(`${below}${name}`, yaml(manifest))
  await folder.text(`${below}kustomization.yaml`, yaml(kustomization(service, Object.keys(manifests), withImage)))
}
