import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildSync } from 'esbuild'
import { AGENT_PROTOCOL_VERSION, type AgentResult } from '../../src/contract/agent-protocol.ts'
import { encodeWire } from '../../src/contract/agent-wire.ts'
import { docsFiles } from '../../src/contract/docs-files.ts'
import type { JobReporter, Progress } from '../../src/contract/job.ts'
import { type AgentBundle, type BundleArchitecture, ensureAgentBundle } from '../../src/remote/agent-bundle.ts'

/** Result of every benchmark of the stand-in. */
export const standInBench: AgentResult<'bench'> = {
  settings: {
    scenario: 'single',
    batch: 1,
    threads: 1,
    runs: 3,
    warmupRuns: 0,
    warmupSeconds: 0,
    connections: 1,
    streams: 1,
    runtime: 'onnxruntime',
    fp16: true,
  },
  latenciesMs: Float32Array.of(1.5, 2.5, 3.5),
  offsetsMs: Float64Array.of(0, 1.5, 4),
  latencyMs: { mean: 2.5, std: 1, min: 1.5, max: 3.5, p50: 2.5, p90: null, p95: null, p99: null, p999: null, ci: {} },
  throughputPerSecond: 400,
  loadMs: 1,
  firstInferenceMs: 4,
  warmupRuns: 0,
  steady: null,
  outlierShare: 0,
  noise: { label: 'quiet', reasons: [] },
  preflight: [],
  load: null,
  cpuMsPerInference: 2,
  peakRssBytes: 3,
  idleRssBytes: 2,
  steadyRssBytes: 3,
  memoryGrowthBytes: 0,
  samples: 3,
  environment: {
    hostname: 'stand-in',
    machine: 'none',
    architecture: 'x64',
    system: 'none',
    cpu: 'none',
    cpuFeatures: [],
    logicalCores: 1,
    memoryBytes: 1,
    governor: null,
    loadAverage: null,
    temperatureC: null,
    nodeVersion: 'v22',
    onnxRuntimeVersion: 'none',
    edgesmithVersion: '0.0.1',
  },
  telemetry: null,
  energy: null,
  tensorRt: null,
  warnings: [],
}

/**
 * A small program that speaks the agent's protocol without any model. `bench` does what the last part of the model's path says.
 */
function standInSource(version: string): string {
  return `
const fs = require('node:fs'), path = require('node:path')
const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n')
const version = ${JSON.stringify(version)}
if (process.argv[2] === 'host') {
${hostSource()}
} else if (process.argv[2] === 'run' || process.argv[2] === 'work') {
  let text = ''
  let stubborn = false
  const answer = (line) => { process.stdout.write(line + '\\n', () => process.exit(0)) }
  const start = (request) => {
    if (request.command === 'self-test') {
      return answer(JSON.stringify({ type: 'result', value: { edgesmithVersion: version, nodeVersion: process.version, onnxRuntimeVersion: 'none', architecture: process.arch, maxAbsDiff: 0 } }))
    }
    const mode = path.basename(request.model)
    if (mode === 'work') {
      for (let done = 0; done <= 3; done++) say({ type: 'progress', progress: { phase: 'measuring', done, total: 3, unit: 'runs' } })
      say({ type: 'log', text: 'half \\u001b[31mway' })
      process.stderr.write('a word on stderr\\n')
      return answer(${JSON.stringify(encodeWire({ type: 'result', value: standInBench }))})
    }
    if (mode === 'slow-work') {
      let done = 0
      const timer = setInterval(() => {
        say({ type: 'progress', progress: { phase: 'measuring', done, total: 100, unit: 'runs' } })
        if (done++ < 100) return
        clearInterval(timer)
        answer(${JSON.stringify(encodeWire({ type: 'result', value: standInBench }))})
      }, 15)
      return
    }
    if (mode === 'hang' || mode === 'stubborn') {
      stubborn = mode === 'stubborn'
      say({ type: 'progress', progress: { phase: 'measuring', done: process.pid, total: null, unit: 'runs' } })
      return setInterval(() => {}, 1000)
    }
    if (mode === 'crash') { process.stderr.write('last words\\n', () => process.kill(process.pid, 'SIGKILL')); return }
    if (mode === 'exit') { process.stderr.write('out of luck\\n', () => process.exit(7)); return }
    if (mode === 'garbage') return process.stdout.write('Segmentation fault?\\n')
    if (mode === 'wrong-result') return say({ type: 'result', value: { loadMs: 'soon' } })
    if (mode === 'second-hello') return say({ type: 'hello', protocol: ${AGENT_PROTOCOL_VERSION}, pid: process.pid, version })
    if (mode === 'error') return answer(JSON.stringify({ type: 'error', error: { code: 'MODEL_LOAD_FAILED', message: 'no such op', hint: 'another opset' } }))
    if (mode === 'unknown-error') return answer(JSON.stringify({ type: 'error', error: { code: 'FROM_THE_FUTURE', message: 'something new' } }))
  }
  const work = process.argv[2] === 'work'
  if (work) process.on('SIGTERM', () => { if (!stubborn) process.exit(143) })
  if (!work) process.stdin.on('data', (chunk) => {
    text += chunk
    if (text.includes('\\n')) { const line = text.split('\\n')[0]; text = ''; start(JSON.parse(line)) }
  })
  if (!work) process.stdin.on('end', () => { if (!stubborn) process.exit(130) })
  say({ type: 'hello', protocol: ${AGENT_PROTOCOL_VERSION}, pid: process.pid, version })
  if (work) start(JSON.parse(fs.readFileSync(path.join(process.argv[3], 'request'), 'utf8')))
}
`
}

/** The real program between link and run: what follows runs of the stand-in. */
function hostSource(): string {
  const contents = `import { hostCommand } from './src/agent/host-command.ts'\nvoid hostCommand(process.argv[3]).then((code) => process.exit(code))`
  const stdin = { contents, resolveDir: repository, loader: 'ts' } as const
  const built = buildSync({ stdin, bundle: true, write: false, platform: 'node', format: 'cjs', target: 'node22', minify: true })
  return `(function () {\n${built.outputFiles[0]?.text ?? ''}\n})()`
}

/** Folders and functions that make a small bundle around the stand-in. */
export interface StandIn {
  /** Holds agent.cjs, like out/agent. */
  readonly agentFolder: string
  bundle(architecture: BundleArchitecture): Promise<AgentBundle>
  /** Changes the agent, so that its file and the bundle get another hash. */
  setVersion(version: string): void
}

/**
 * A bundle of a few kilobytes: its `node` is a script that starts a copy of the Node that runs the tests, because 125 MB would have to be
 * sent for every test otherwise. One test sends the real thing.
 * @param folder readable for the device's user
 */
export function makeStandIn(folder: string): StandIn {
  const agentFolder = join(folder, 'agent')
  const runtimeFolder = join(folder, 'onnxruntime')
  const nodePath = join(folder, 'node-22')
  mkdirSync(agentFolder, { recursive: true })
  if (!existsSync(nodePath)) copyFileSync(process.execPath, nodePath)
  const starter = join(folder, 'node')
  writeFileSync(starter, `#!/bin/sh\nexec '${nodePath}' "$@"\n`)
  for (const architecture of ['x64', 'arm64']) {
    mkdirSync(join(runtimeFolder, architecture), { recursive: true })
    writeFileSync(join(runtimeFolder, architecture, 'onnxruntime_binding.node'), 'binding')
    writeFileSync(join(runtimeFolder, architecture, 'libonnxruntime.so.1'), 'library\n'.repeat(1000))
  }
  for (const name of Object.values(docsFiles)) writeFileSync(join(agentFolder, name), name)
  let version = '0.0.1'
  const setVersion = (next: string) => {
    version = next
    writeFileSync(join(agentFolder, 'agent.cjs'), standInSource(version))
  }
  setVersion(version)
  return {
    agentFolder,
    setVersion,
    bundle: (architecture) =>
      ensureAgentBundle(architecture, {
        agentFolder,
        onnxRuntimeFolder: runtimeFolder,
        cacheFolder: join(folder, 'cache'),
        version,
        nodePaths: { x64: starter, arm64: starter },
      }),
  }
}

/** Keeps what a job reports. */
export interface RecordingReporter extends JobReporter {
  readonly steps: Progress[]
  readonly lines: string[]
}

export function recordingReporter(): RecordingReporter {
  const steps: Progress[] = []
  const lines: string[] = []
  return { steps, lines, progress: (step) => void steps.push(step), log: (line) => void lines.push(line) }
}

/** Folder of the repository. */
export const repository = dirname(dirname(import.meta.dirname))
