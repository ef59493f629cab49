// One run of wrk against a server, on the core that servers do not use.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder, type Subject } from './subjects.ts'

const CLIENT_CORE = '1'

export interface Load {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly failures: number
  /** CPU time of the server for one request, user and system. */
  readonly cpuUs: number
}

export interface LoadOptions {
  readonly body: string | Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly connections: string
  readonly seconds: string
  /** Every request has another id, and so another head. */
  readonly newHeads?: boolean
}

export function load(
  { url, pid }: Pick<Subject, 'url' | 'pid'>,
  { body, headers, connections, seconds, newHeads = false }: LoadOptions,
): Load {
  const bodyPath = join(folder, 'body')
  writeFileSync(bodyPath, body)
  const script = join(folder, 'load.lua')
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers["${name}"] = "${value}"`)
  const request = `local count = 0
request = function()
  count = count + 1
  wrk.headers["x-request-id"] = "request-" .. count
  return wrk.format()
end
`
  writeFileSync(
    script,
    `local file = io.open("${bodyPath}", "rb")\nwrk.body = file:read("*a")\nwrk.method = "POST"\n${lines.join('\n')}\n${newHeads ? request : ''}
done = function(summary, latency)
  io.write(string.format("RESULT %d %f %f %f %d\\n", summary.requests, summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end\n`,
  )
  const before = cpuMs(pid)
  const out = execFileSync('taskset', ['-c', CLIENT_CORE, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url], {
    encoding: 'utf8',
  })
  const [, requests, perSecond, p50Ms, p99Ms, failures] = /RESULT (\d+) (\S+) (\S+) (\S+) (\d+)/.exec(out) ?? []
  if (perSecond === undefined) throw new Error(`wrk said: ${out}`)
  return {
    perSecond: Number(perSecond),
    p50Ms: Number(p50Ms),
    p99Ms: Number(p99Ms),
    failures: Number(failures),
    cpuUs: ((cpuMs(pid) - before) * 1000) / Number(requests),
  }
}

/** The kernel counts in ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}
