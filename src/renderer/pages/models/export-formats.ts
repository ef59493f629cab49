import type { ExportFormat } from '../../../contract/export.ts'

/** What can be handed to operations, with one sentence each. */
export const exportFormats = [
  {
    format: 'package',
    label: 'Archive',
    text: 'One archive with model, server, configuration and a start script; the machine needs nothing else.',
  },
  {
    format: 'docker',
    label: 'Docker',
    text: 'Dockerfiles for servers and boards, and a compose file with Prometheus, Grafana and a dashboard.',
  },
  {
    format: 'kserve',
    label: 'Kubernetes',
    text: 'Manifests for KServe, and plain ones with health checks and scaling for Kubernetes or k3s.',
  },
  { format: 'triton', label: 'Triton', text: 'A model repository with config.pbtxt for NVIDIA Triton Inference Server.' },
  {
    format: 'python-client',
    label: 'Python client',
    text: 'A typed client made from the schema of this model; it needs the standard library only.',
  },
  { format: 'ts-client', label: 'TypeScript client', text: 'A typed client made from the schema of this model, with examples and tests.' },
] as const satisfies readonly { format: ExportFormat; label: string; text: string }[]

/** Clients and Triton hold no server of ours, so the processors do not matter to them. */
export function needsArchitectures(format: ExportFormat): boolean {
  return format === 'docker' || format === 'package'
}

/** A folder for an export inside one the user chose: `…/fashion-cnn-docker`. */
export function exportFolder(chosen: string, model: string, format: ExportFormat): string {
  const name = model
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
  const separator = chosen.includes('\\') ? '\\' : '/'
  return `${chosen.replace(/[\\/]+$/, '')}${separator}${name || 'model'}-${format}`
}
