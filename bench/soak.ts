// A deployed service on this computer under steady mixed load for an hour: single and batch predictions, the Open Inference Protocol as JSON and
// binary, requests that must be refused. Every answer is compared with what must come, memory is watched all the while, and in the end the service
// is stopped under load.
//
//   npm run build && node bench/soak.ts [--seconds 3600] [--rate 150] [--connections 8] [--allowed-growth-mb 8]
//
// Ends with 1 when an answer was wrong or missing, a request was lost while the service stopped, or memory surely grew by more than is allowed: the
// whole 95 % interval of its growth lies above that. npm test does the same for two minutes.
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openBackend } from '../src/backend/backend.ts'
import { LOCAL_DEVICE_ID } from '../src/contract/device.ts'
import type { JobProcedureName, JobResult, ProcedureInput } from '../src/contract/procedures.ts'
import { hasGrown } from '../tests/agent/soak/memory-trend.ts'
import { soak } from '../tests/agent/soak/soak.ts'
import { soakModel } from '../tests/agent/soak/soak-requests.ts'
import { machineLine, markdownTable } from './markdown.ts'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3600' },
    rate: { type: 'string', default: '150' },
    connections: { type: 'string', default: '8' },
    'allowed-growth-mb': { type: 'string', default: '8' },
  },
})
const seconds = Number(options.seconds)
const folder = mkdtempSync(join(tmpdir(), 'edgesmith-soak-'))
const noSecrets = { get: async () => null, put: async () => {}, remove: async () => {} }
const backend = await openBackend({ workspace: join(folder, 'workspace'), secrets: noSecrets })

async function result<N extends JobProcedureName>(name: N, input: ProcedureInput<N>): Promise<JobResult<N>> {
  const { jobId } = (await backend.call(name, input)) as { jobId: string }
  const job = await backend.call('jobs.wait', { id: jobId })
  if (job.state !== 'succeeded') throw new Error(`${name} ${job.state}: ${job.error?.code} ${job.error?.message}`)
  return job.result as JobResult<N>
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
let deploymentId: string | undefined
try {
  const path = join(folder, 'soak.onnx')
  await writeFile(path, soakModel)
  const { id: modelId } = await backend.call('models.import', { path })
  const deployed = await result('deploy.start', { modelId, deviceId: LOCAL_DEVICE_ID, service: 'soak' })
  const id = deployed.id
  deploymentId = id
  const { url, token } = await backend.call('deployments.connect', { id })
  const found = await soak(
    // Through no tunnel: that of this computer leads to the same port.
    { port: Number(new URL(url).port), token, service: 'soak', stop: () => backend.call('deployments.stop', { id }) },
    {
      seconds,
      requestsPerSecond: Number(options.rate),
      connections: Number(options.connections),
      warmupRequests: 20_000,
      memoryEveryMs: Math.max(250, (seconds * 1000) / 720),
      onSample: ({ atMs, rssBytes }, sent) =>
        process.stderr.write(`${Math.round(atMs / 1000)} s: ${megabytes(rssBytes)}, ${sent} requests\n`),
    },
  )
  const { memory, drain, latencyMs } = found
  const allowedBytes = Number(options['allowed-growth-mb']) * 1e6
  const grown = hasGrown(memory, allowedBytes)
  console.log(
    `${machineLine()}. ${found.requests} requests in ${seconds} s, ${options.rate} a second over ${options.connections} connections.\n`,
  )
  console.log(
    markdownTable(
      ['request', 'answered as it must be'],
      Object.entries(found.answered)
        .sort()
        .map(([kind, count]) => [kind, String(count)]),
    ),
  )
  console.log(
    `\nWrong or missing: ${found.failed}. p50 ${latencyMs.p50.toFixed(2)} ms, p99 ${latencyMs.p99.toFixed(2)} ms, longest ${latencyMs.max.toFixed(1)} ms.`,
  )
  console.log(
    `Memory: ${megabytes(memory.firstBytes)} to ${megabytes(memory.lastBytes)}; growth over ${Math.round(memory.spanMs / 1000)} s ${megabytes(memory.growthBytes)} (95 % interval ${megabytes(memory.ci95[0])} to ${megabytes(memory.ci95[1])}): ${grown ? 'it grows' : 'no growth shown'}.`,
  )
  console.log(
    `Stopped under load: ${drain.answered} answered, ${drain.answeredLate} of them after the signal, ${drain.lost} lost, ${drain.wrong} wrong, ${drain.refused} connections refused, ${drain.reset} reset.`,
  )
  for (const failure of found.failures) console.error(failure)
  process.exitCode = found.failed > 0 || drain.lost > 0 || drain.wrong > 0 || grown ? 1 : 0
} finally {
  if (deploymentId !== undefined) await backend.call('deployments.remove', { id: deploymentId })
  await backend.close()
  rmSync(folder, { recursive: true, force: true })
}
