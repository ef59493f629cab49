import type { ServiceSettingsFile } from '../../../contract/service.ts'
import type { BundleArchitecture } from '../../../remote/agent-bundle.ts'
import { writeAgents } from '../agent-files.ts'
import type { ExportContext, Exporter } from '../exporter.ts'
import { writeLicences } from '../licences.ts'
import { writeModelDocuments } from '../model-documents.ts'
import { json, SERVICE_PORT, writeServiceFolder } from '../service-files.ts'
import { API_HOST, composeFile } from './compose-file.ts'
import { dockerReadme } from './docker-readme.ts'
import { dockerfile, dockerIgnore } from './dockerfile.ts'
import { grafanaDashboard } from './grafana-dashboard.ts'
import { grafanaDashboards, grafanaDatasource } from './grafana-provisioning.ts'
import { healthCheck } from './health-check.ts'
import { launcher } from './launcher.ts'
import { alertRules, prometheusConfig } from './prometheus-files.ts'
import { secretsScript } from './secrets-script.ts'

/** Processors as Docker calls them. */
const dockerArchitectures: Readonly<Record<BundleArchitecture, string>> = { x64: 'amd64', arm64: 'arm64' }

/** An image of the service, with Prometheus and Grafana beside it. */
export const dockerExporter: Exporter = {
  async write(context, folder) {
    const { service, edgesmithVersion, release, architectures } = context
    const port = SERVICE_PORT
    const watchesDrift = release.driftReference !== null
    await writeAgents(folder, context, (architecture) => `agent/${dockerArchitectures[architecture]}/`)
    await writeServiceFolder(folder, 'service/', context, containerSettings(service, [API_HOST, service]))
    await folder.text('Dockerfile', dockerfile({ service, port, edgesmithVersion, kind: 'server' }))
    await folder.text('Dockerfile.edge', dockerfile({ service, port, edgesmithVersion, kind: 'edge' }))
    await folder.text('.dockerignore', dockerIgnore)
    await folder.text('health-check.cjs', healthCheck)
    await folder.text('launch.cjs', launcher)
    await folder.text('docker-compose.yml', composeFile({ service, port, memoryMebibytes: memoryMebibytes(context) }))
    await folder.text('make-secrets.sh', secretsScript, { executable: true })
    await folder.text('monitoring/prometheus.yml', prometheusConfig(port))
    await folder.text('monitoring/alerts.yml', alertRules({ slowSeconds: slowSeconds(context), watchesDrift }))
    await folder.text('monitoring/grafana/provisioning/datasources/prometheus.yml', grafanaDatasource)
    await folder.text('monitoring/grafana/provisioning/dashboards/dashboards.yml', grafanaDashboards)
    await folder.text('monitoring/grafana/dashboards/edgesmith.json', json(grafanaDashboard(service, watchesDrift)))
    await writeModelDocuments(folder, '', context)
    const missing = await writeLicences(folder, 'LICENSES/', context)
    await folder.text('README.md', dockerReadme(context, memoryMebibytes(context)))
    const [only] = architectures
    return [
      'Next: ./make-secrets.sh && docker compose up --build --detach (README.md says more)',
      ...(architectures.length === 1 ? [`The image can be built for ${dockerArchitectures[only as BundleArchitecture]} only.`] : []),
      ...(watchesDrift
        ? []
        : ['There is no reference of drift: dashboard and alerts leave it out. Export with --data and 1,000 samples or more.']),
      ...missing,
      'The image was not built here; README.md says how.',
    ]
  },
}

/** A container listens on all of its addresses; who may ask is decided by names and by what is published. */
export function containerSettings(service: string, hosts: readonly string[]): ServiceSettingsFile {
  return { service, host: '0.0.0.0', port: SERVICE_PORT, network: { hosts: [...new Set(hosts)] } }
}

/** Twice what the server took here with the model and one request, and room for requests; in steps of 64 MiB. */
export function memoryMebibytes({ served }: ExportContext): number {
  const mebibytes = (served.peakRssBytes * 2) / 2 ** 20 + 128
  return Math.max(256, Math.ceil(mebibytes / 64) * 64)
}

/** Ten times what a run was measured to take, a quarter of a second where nothing was measured. */
function slowSeconds({ release: { latencyP50Ms } }: ExportContext): number {
  return latencyP50Ms === null ? 0.25 : Math.max(0.01, Number(((latencyP50Ms * 10) / 1000).toPrecision(2)))
}
