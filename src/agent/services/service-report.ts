import { existsSync } from 'node:fs'
import { absentReport } from '../../contract/absent-report.ts'
import type { Routing } from '../../contract/routing.ts'
import type { ServiceLive, ServiceReport } from '../../contract/service-protocol.ts'
import { residentBytesOf } from '../../platform/processes.ts'
import { isOlderService } from './older-layout.ts'
import type { ServiceProcesses } from './service-processes.ts'
import { currentKeeper } from './supervision/keepers.ts'

/** Newest events that come with a report. */
const mostEvents = 100

/** What there is of a service: files and processes of it are looked at, nothing is changed. */
export async function serviceReport(processes: ServiceProcesses, root: string): Promise<ServiceReport> {
  const { folder, service } = processes
  const settings = await folder.readSettings().catch(() => null)
  const routing = await folder.readRouting().catch(() => null)
  if (settings === null || routing === null) {
    const report = absentReport(service, await messageOfAbsent(processes))
    const versions = await storedVersions(processes, null, null)
    return versions.length === 0 ? report : { ...report, state: 'failed', versions, events: await folder.readEvents(mostEvents) }
  }
  const serving = await processes.serving()
  const live = serving && (await (await processes.clientOf(serving)).live().catch(() => null))
  const stopped = existsSync(folder.at('stopped'))
  const supervisor = await processes.supervisor()
  const keeper = await currentKeeper({ service, folder: folder.path, root, read: [] })
  const rebootNote = stopped ? 'It was stopped: it stays so until it is started.' : await keeper.rebootNote()
  return {
    service,
    state: serving ? 'running' : stopped ? 'stopped' : 'failed',
    message: messageOf(serving !== null, live, stopped, supervisor?.failure ?? null, supervisor !== null),
    pid: serving?.pid ?? null,
    port: serving?.port ?? settings.port,
    host: settings.host,
    uptimeSeconds: live?.uptimeSeconds ?? null,
    rssBytes: live?.rssBytes ?? (serving && (await residentBytesOf(serving.pid))),
    supervision: keeper.kind,
    survivesReboot: rebootNote === null,
    rebootNote: rebootNote?.slice(0, 1000) ?? null,
    versions: await storedVersions(processes, routing, live),
    events: await folder.readEvents(mostEvents),
  }
}

async function messageOfAbsent({ folder, service }: ServiceProcesses): Promise<string> {
  if (await isOlderService(folder)) return `${service} was deployed by an older version of Edgesmith: deploy it again.`
  return existsSync(folder.path) ? `No release of ${service} ever served: deploy it again.` : `There is no service ${service}.`
}

function messageOf(
  serves: boolean,
  live: ServiceLive | null,
  stopped: boolean,
  failure: string | null,
  supervised: boolean,
): string | null {
  if (serves && live === null) return 'Its process runs and does not answer.'
  if (serves && !supervised) return 'Its supervisor was killed: it serves on, but nothing would start it again. Start it to mend that.'
  if (serves || stopped) return null
  return `${failure ?? 'Its process ended.'} Its log says why.`
}

async function storedVersions(
  { folder }: ServiceProcesses,
  routing: Routing | null,
  live: ServiceLive | null,
): Promise<ServiceReport['versions']> {
  const found: ServiceReport['versions'] = []
  for (const { id, createdAt } of (await folder.listReleases()).reverse().slice(0, 100)) {
    const release = await folder.readRelease(id).catch(() => null)
    const failure = await folder.readFailure(id)
    found.push({
      release: id,
      modelName: release?.modelName ?? 'damaged',
      modelSha256: release?.modelSha256 ?? '0'.repeat(64),
      role: routing ? roleOf(id, routing, failure !== null) : failure ? 'failed' : 'kept',
      weight: live?.versions.find((version) => version.release === id)?.weight ?? (routing ? weightOf(id, routing) : 0),
      createdAt,
      failure,
    })
  }
  return found
}

function roleOf(id: string, { current, previous, beside }: Routing, failed: boolean): ServiceReport['versions'][number]['role'] {
  if (id === current) return 'current'
  if (beside.some(({ release }) => release === id)) return 'beside'
  if (failed) return 'failed'
  return id === previous ? 'previous' : 'kept'
}

/** Percent of requests while nobody can be asked. */
function weightOf(id: string, { current, beside }: Routing): number {
  const shares = beside.filter(({ kind }) => kind !== 'shadow')
  if (id !== current) return shares.find(({ release }) => release === id)?.weight ?? 0
  return Math.max(0, 100 - shares.reduce((sum, { weight }) => sum + weight, 0))
}
