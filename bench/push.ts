// How long does it take to bring the agent and a model to a device? To a real sshd on loopback, with an empty home directory. The bars
// (SPEC.md, "How good is good") are 15 s for everything, and 2 s for a changed 5 MB model, serving it included.
//
//   node bench/push.ts [--tries 3]
//
// Needs a build (npm run build). Prints a table: what was pushed, seconds, bytes through the connection, megabytes a second.
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { cacheDirectory } from '../scripts/setup/project-paths.mjs'
import { median } from '../src/core/statistics/percentiles.ts'
import { sha256Of } from '../src/platform/file-hash.ts'
import { ensureAgentBundle } from '../src/remote/agent-bundle.ts'
import type { DeviceFile } from '../src/remote/device-session.ts'
import { openSshSession, type SshSession } from '../src/remote/ssh-session.ts'
import { startCutProxy } from '../tests/devices/cut-proxy.ts'
import { startSshDevice } from '../tests/devices/ssh-device.ts'
import { markdownTable } from './markdown.ts'

const { values } = parseArgs({ options: { tries: { type: 'string', default: '3' } } })
const tries = Number(values.tries)
const repository = dirname(import.meta.dirname)
const architecture = process.arch === 'arm64' ? 'arm64' : 'x64'
const quiet = { progress: () => undefined, log: () => undefined }
const folder = mkdtempSync(join(tmpdir(), 'edgesmith-push-'))
chmodSync(folder, 0o755)

const bundle = () =>
  ensureAgentBundle(architecture, {
    agentFolder: join(repository, 'out', 'agent'),
    onnxRuntimeFolder: join(repository, 'node_modules/onnxruntime-node/bin/napi-v6/linux'),
    nodePaths: { [architecture]: process.execPath },
    cacheFolder: cacheDirectory(),
    version: '0.0.0-bench',
  })

function makeModel(): DeviceFile {
  const content = randomBytes(5_000_000)
  const path = join(folder, 'model.onnx')
  writeFileSync(path, content)
  return { path, sizeBytes: content.length, sha256: sha256Of(content) }
}

interface Outcome {
  readonly what: string
  readonly seconds: number
  readonly bytes: number
}

/** A fresh device: everything, then nothing, then a changed model, each in a session of its own. */
async function once(): Promise<Outcome[]> {
  const device = await startSshDevice()
  const outcomes: Outcome[] = []
  try {
    const timed = async (what: string, work: (session: SshSession) => Promise<unknown>) => {
      const proxy = await startCutProxy(device.port)
      const startedAt = performance.now()
      const session = await openSshSession({
        host: device.host,
        port: proxy.port,
        user: device.user,
        logins: [{ method: 'key', keyPath: device.keyPath }],
        jumps: [],
        hostKey: device.hostFingerprint,
        expectedHostKeys: [],
        knownHostsPath: join(folder, 'known_hosts'),
        systemKnownHostsPaths: [],
        bundle,
      })
      await work(session)
      outcomes.push({ what, seconds: (performance.now() - startedAt) / 1000, bytes: proxy.sentBytes() })
      session.close()
      await proxy.stop()
    }
    await timed('log-in, probe, agent, self-test: empty device', (session) => session.prepare(quiet))
    await timed('the same: agent is there', (session) => session.prepare(quiet))
    await timed('the same, and a model of 5 MB', async (session) => {
      await session.prepare(quiet)
      await session.store([makeModel()], quiet)
    })
    await timed('the same, the model changed', async (session) => {
      await session.prepare(quiet)
      await session.store([makeModel()], quiet)
    })
  } finally {
    await device.stop()
  }
  return outcomes
}

try {
  // Compressing happens once for an installation and is not what is measured.
  await bundle()
  const runs: Outcome[][] = []
  for (let index = 0; index < tries; index++) runs.push(await once())
  const rows = (runs[0] ?? []).map(({ what }, index) => {
    const seconds = median(Float64Array.from(runs, (outcomes) => outcomes[index]?.seconds ?? Number.NaN))
    const bytes = median(Float64Array.from(runs, (outcomes) => outcomes[index]?.bytes ?? Number.NaN))
    return [what, seconds.toFixed(2), (bytes / 1e6).toFixed(3), (bytes / 1e6 / seconds).toFixed(1)]
  })
  console.log(markdownTable(['pushed', 's (median)', 'MB sent', 'MB/s'], rows))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
