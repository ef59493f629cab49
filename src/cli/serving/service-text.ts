import { formatBytes, formatCount, formatMs, formatPercent, formatSpan, NOTHING } from '../../backend/report/quantities.ts'
import type { Deployment } from '../../contract/deployment.ts'
import type { GateCheck, ServiceEvent } from '../../contract/routing.ts'
import type { ServiceLive, ServiceReport } from '../../contract/service-protocol.ts'
import { shortMoment } from '../short-moment.ts'
import { factList, textTable } from '../text-table.ts'

/** Newest events that are shown. */
const SHOWN_EVENTS = 12
/** Last lines of the log of a release that failed. */
const SHOWN_LOG_LINES = 15

/** One line for each check: `ok` or `FAILED`. */
export function checkLines(checks: readonly GateCheck[]): string {
  return checks.map(({ name, passed, text }) => `${passed ? 'ok    ' : 'FAILED'}  ${name}: ${text}`).join('\n')
}

/** How it is kept running, and what happens at a reboot. */
export function supervisionText({
  supervision,
  survivesReboot,
  rebootNote,
}: Pick<ServiceReport, 'supervision' | 'survivesReboot' | 'rebootNote'>): string | null {
  if (supervision === null) return null
  const words = { 'system-unit': 'system unit', 'user-unit': 'user unit', cron: 'cron', process: 'process' }[supervision]
  return `${words}; ${rebootNote ?? (survivesReboot ? 'serves again after a reboot' : 'a reboot ends it')}`
}

/** Everything a device says of a service. @param live null when it does not run or does not answer */
export function serviceText({ service, device }: Deployment, report: ServiceReport, live: ServiceLive | null): string {
  const { state, pid, port, host, uptimeSeconds, rssBytes, message } = report
  const facts = factList([
    ['service', `${service} on ${device}`],
    ['state', state],
    ['message', message],
    ['process', pid === null ? null : `${pid}, ${host ?? '127.0.0.1'}:${port ?? '?'}`],
    ['kept by', supervisionText(report)],
    ['up for', uptimeSeconds === null ? null : formatSpan(uptimeSeconds * 1000)],
    ['requests', live && `${formatCount(live.requests)}, ${formatCount(live.errors)} errors, ${formatCount(live.rejected)} refused`],
    ['latency', live?.latencyP50Ms == null ? null : `p50 ${formatMs(live.latencyP50Ms)}, p95 ${formatMs(live.latencyP95Ms)}`],
    ['memory', rssBytes === null ? null : formatBytes(rssBytes)],
    ['watch', live?.watch && `${live.watch.release}: ${formatSpan(live.watch.secondsLeft * 1000)} left`],
    ['canary', canaryText(live)],
    ['drift', driftText(live)],
    [
      'logged',
      live?.predictionLog && `${formatCount(live.predictionLog.writtenRows)} predictions, ${formatBytes(live.predictionLog.fileBytes)}`,
    ],
  ])
  return [facts, versionsTable(report, live), eventLines(report.events), ...failureTexts(report)].filter((part) => part !== '').join('\n\n')
}

function canaryText(live: ServiceLive | null): string | null {
  if (!live?.canary) return null
  const { release, step, steps, secondsLeft, waitingFor } = live.canary
  return `${release} at ${steps[step] ?? 100} % (step ${step + 1} of ${steps.length}), ${formatSpan(secondsLeft * 1000)} left${waitingFor && `: ${waitingFor}`}`
}

function driftText(live: ServiceLive | null): string | null {
  if (!live?.drift) return null
  const { triggered, features, judgedWindows, filledRows, windowRows } = live.drift
  if (judgedWindows === 0) return `collecting: ${formatCount(filledRows)} of ${formatCount(windowRows)} rows`
  const drifted = features.filter(({ level }) => level === 'drifted' || level === 'severe').map(({ name, level }) => `${name} (${level})`)
  if (triggered.length > 0) return `DRIFT: ${triggered.join(', ')}`
  return drifted.length > 0 ? `in the last window: ${drifted.join(', ')}` : `none in ${formatCount(judgedWindows)} windows`
}

function versionsTable({ versions }: ServiceReport, live: ServiceLive | null): string {
  if (versions.length === 0) return ''
  return textTable(
    [
      { title: 'version' },
      { title: 'model' },
      { title: 'role' },
      { title: 'share', align: 'right' },
      { title: 'requests', align: 'right' },
      { title: 'errors', align: 'right' },
      { title: 'p50', align: 'right' },
      { title: 'p95', align: 'right' },
      { title: 'differing', align: 'right' },
      { title: 'since' },
    ],
    versions.map(({ release, modelName, role, weight, createdAt }) => {
      // One that is not loaded counts nothing.
      const seen = live?.versions.find((version) => version.release === release && version.runsOn !== 'not loaded')
      return [
        release,
        modelName,
        seen?.kind ?? role,
        weight > 0 ? `${weight} %` : NOTHING,
        seen ? formatCount(seen.requests) : NOTHING,
        seen ? formatCount(seen.errors) : NOTHING,
        formatMs(seen?.latencyP50Ms ?? null),
        formatMs(seen?.latencyP95Ms ?? null),
        seen?.compared ? formatPercent((seen.differing ?? 0) / seen.compared) : NOTHING,
        shortMoment(createdAt),
      ]
    }),
  )
}

function eventLines(events: readonly ServiceEvent[]): string {
  return events
    .slice(-SHOWN_EVENTS)
    .map(({ at, kind, release, text }) => `${shortMoment(at)}  ${kind}${release ? ` ${release}` : ''}: ${text}`)
    .join('\n')
}

/** Releases that are not serving: why, what was checked, and what the log said. */
function failureTexts({ versions }: ServiceReport): string[] {
  return versions.flatMap(({ release, modelName, failure }) => {
    if (failure === null) return []
    const log = logTail(failure.log)
    return [
      [`${release} (${modelName}) FAILED ${shortMoment(failure.at)}: ${failure.reason}`, indented(checkLines(failure.checks)), log]
        .filter((part) => part !== '')
        .join('\n'),
    ]
  })
}

/** The last lines of a log, set off from other text; empty without any. */
export function logTail(log: string): string {
  const lines = log.trim() === '' ? [] : log.trimEnd().split('\n').slice(-SHOWN_LOG_LINES)
  return lines.map((line) => `  | ${line}`).join('\n')
}

function indented(text: string): string {
  return text === '' ? '' : text.replace(/^/gm, '  ')
}
