import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleAgent } from '../../scripts/setup/agent-bundle.mjs'
import { cacheDirectory } from '../../scripts/setup/project-paths.mjs'
import type { GoldenAnswers } from '../../src/contract/service.ts'
import { serviceSettingsSchema } from '../../src/contract/service.ts'
import { encodeBase64 } from '../../src/core/base64.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'
import { ensureAgentBundle } from '../../src/remote/agent-bundle.ts'
import type { DeviceFile, DeviceSession, ServiceOrder } from '../../src/remote/device-session.ts'
import { openLocalSession } from '../../src/remote/local-session.ts'
import type { SshSessionOptions } from '../../src/remote/ssh-session.ts'
import { type HarnessedDevice, startHarnessedDevice } from './device-harness.ts'
import { repository } from './stand-in-agent.ts'

/** A machine with the real agent, to which services are deployed. */
export interface ServiceMachine {
  readonly kind: 'ssh' | 'local'
  /** Folder of Edgesmith there. */
  readonly root: string
  /** Test device A; null for this computer. */
  readonly harnessed: HarnessedDevice | null
  open(changes?: Partial<SshSessionOptions>): Promise<DeviceSession>
  stop(): Promise<void>
}

/**
 * The agent of this source tree on test device A or on this computer. The Node that goes to the device is a script that starts a copy of the
 * Node that runs the tests: 100 MB would have to be sent otherwise (`real-agent.test.ts` does that).
 */
export async function startServiceMachine(kind: 'ssh' | 'local'): Promise<ServiceMachine> {
  if (kind === 'local') {
    const folder = mkdtempSync(join(tmpdir(), 'edgesmith-services-'))
    const [root, agentFolder] = [join(folder, 'root'), join(folder, 'agent')]
    await bundleAgent(repository, agentFolder)
    const open = async () => openLocalSession({ root, agentFolder, nodePath: process.execPath })
    const stop = async () => {
      await (await open()).removeEverything()
      rmSync(folder, { recursive: true, force: true })
    }
    return { kind, root, harnessed: null, open, stop }
  }
  const harnessed = await startHarnessedDevice()
  const { folder, home } = harnessed.device
  const agentFolder = join(folder, 'real-agent')
  await bundleAgent(repository, agentFolder)
  const [node, starter] = [join(folder, 'node-22'), join(folder, 'starter')]
  if (!existsSync(node)) copyFileSync(process.execPath, node)
  writeFileSync(starter, `#!/bin/sh\nexec '${node}' "$@"\n`)
  const bundle: SshSessionOptions['bundle'] = (architecture, reporter, signal, needs) =>
    ensureAgentBundle(
      architecture,
      {
        agentFolder,
        onnxRuntimeFolder: join(repository, 'node_modules/onnxruntime-node/bin/napi-v6/linux'),
        cacheFolder: cacheDirectory(),
        version: '0.0.0-test',
        nodePaths: { [process.arch]: starter },
      },
      reporter,
      signal,
      needs,
    )
  return {
    kind,
    root: join(home, '.edgesmith'),
    harnessed,
    open: (changes) => harnessed.open({ bundle, ...changes }),
    stop: () => harnessed.stop(),
  }
}

/**
 * A model `y = factor * x` of two values, as a file in a folder.
 * @param slow a run multiplies large matrices of noise as well, which takes some tenths of a second
 */
export function scalingModel(folder: string, factor: number, { slow = false } = {}): DeviceFile {
  const idle = [
    makeNode('RandomUniform', [], ['noise'], { shape: [2000, 2000] }),
    makeNode('MatMul', ['noise', 'noise'], ['product']),
    makeNode('ReduceMax', ['product'], ['largest'], { keepdims: 0 }),
    makeNode('Min', ['largest', 'factor'], ['least']),
  ]
  const model = makeModel({
    nodes: [...(slow ? idle : []), makeNode('Mul', ['x', slow ? 'least' : 'factor'], ['y'], {}, { name: 'scale' })],
    inputs: [makeValueInfo('x', 'float32', ['N', 2])],
    outputs: [makeValueInfo('y', 'float32', ['N', 2])],
    initializers: [makeTensor('factor', 'float32', [1], Float32Array.of(factor))],
    name: `times-${factor}`,
  })
  const bytes = encodeModel(model)
  const path = join(folder, `times-${factor}${slow ? '-slow' : ''}.onnx`)
  writeFileSync(path, bytes)
  return { path, sizeBytes: statSync(path).size, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** What `y = factor * x` answers to one sample. */
function goldenAnswers(factor: number): GoldenAnswers {
  const tensor = (name: string, values: Float32Array) => ({
    name,
    type: 'float32',
    dims: [1, values.length],
    values: encodeBase64(new Uint8Array(values.buffer)),
  })
  const x = Float32Array.of(1, -2)
  return {
    samples: [
      {
        inputs: [tensor('x', x)],
        outputs: [
          tensor(
            'y',
            x.map((value) => value * factor),
          ),
        ],
      },
    ],
    tolerance: 0.01,
  }
}

/** A release of {@link scalingModel}, switched to at once. @param claimed factor its golden answers are made with */
export function scalingOrder(
  model: DeviceFile,
  factor: number,
  {
    claimed = factor,
    service = 'scaler',
    port = 0,
    ...changes
  }: Partial<ServiceOrder> & { claimed?: number; service?: string; port?: number } = {},
): ServiceOrder {
  return {
    settings: serviceSettingsSchema.parse({ service, host: '127.0.0.1', port }),
    release: {
      modelName: `times ${factor}`,
      modelSha256: model.sha256,
      preprocessing: {},
      labels: null,
      accuracy: null,
      latencyP50Ms: null,
      golden: goldenAnswers(claimed),
    },
    model,
    rollout: {
      kind: 'switch',
      weight: 10,
      steps: [1, 10, 50],
      stepSeconds: 60,
      watchSeconds: 0,
      limits: { maxErrorRate: 0.01, maxP95Ratio: 1.5, maxDivergence: null, minRequests: 50 },
    },
    gate: { maxLatencyMs: null, runs: 20 },
    webhookSecret: null,
    supervise: 'process',
    ...changes,
  }
}
