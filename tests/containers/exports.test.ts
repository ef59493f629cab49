// Exported images, composition and manifests in a real container engine. Base images are made of Debian's packages (base-images.ts), Grafana is left out.
// For x86-64 only: Debian 12's Podman mixes up the platforms of two stages.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { PROMETHEUS_IMAGE } from '../../src/backend/export/docker/compose-file.ts'
import { type Exports, openExports } from '../backend/export/exports.ts'
import { baseImages } from './base-images.ts'
import { type ContainerEngine, startEngine } from './container-engine.ts'

const IMAGE = 'docker.io/library/small:latest'
const TOKEN = 'token-of-the-container-tests'
const inside = { timeout: 60_000, interval: 500 }

// biome-ignore lint/suspicious/noExplicitAny: documents of many shapes
type Document = any

let exports: Exports
let engine: ContainerEngine
let docker = ''
let kubernetes = ''
const read = (path: string) => readFileSync(join(docker, path), 'utf8')

beforeAll(async () => {
  engine = await startEngine()
  exports = await openExports()
  docker = (await exports.write('docker')).folder
  kubernetes = join((await exports.write('kserve')).folder, 'kubernetes')
  for (const image of [baseImages.slim, baseImages.prometheus(`docker.io/${PROMETHEUS_IMAGE}`)]) await engine.import(image)
  await engine.build(docker, 'Dockerfile', IMAGE)
})
afterAll(async () => {
  await engine?.close()
  await exports?.close()
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function ask(port: number, path: string, { token = TOKEN, body }: { token?: string; body?: string } = {}) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: body ? 'POST' : 'GET', headers, ...(body && { body }) })
  return { status: response.status, body: (await response.json()) as Document }
}

/** The example that was exported is answered as it was when it was exported. */
async function expectExample(port: number): Promise<void> {
  const answered = JSON.parse(read('example-answer.json'))
  const { status, body } = await ask(port, '/predict', { body: read('example-request.json') })
  expect([status, body.version, body.outputs]).toEqual([200, answered.version, answered.outputs])
  expect((await ask(port, '/ready', { token: 'another-token-0123456789' })).status).toBe(401)
}

/** Nothing runs the checks by itself without systemd. */
const becomesHealthy = (container: string) => vi.waitFor(() => expect(engine.statusOf('healthcheck', 'run', container)).toBe(0), inside)

const inspected = async (container: string): Promise<Document> => JSON.parse(await engine.podman('inspect', container))[0]

describe('the composition', () => {
  let ports: { api: number; prometheus: number }
  const compose = (...args: string[]) => engine.compose(docker, '--file', 'compose.test.yml', '--project-name', 'small', ...args)

  beforeAll(async () => {
    ports = { api: await freePort(), prometheus: await freePort() }
    const document = parse(read('docker-compose.yml'))
    // This compose is older than the name of a project in its file; what is not here is Grafana's image.
    document.name = undefined
    document.services.grafana = undefined
    document.services.api.ports = [`127.0.0.1:${ports.api}:8080`]
    document.services.prometheus.ports = [`127.0.0.1:${ports.prometheus}:9090`]
    writeFileSync(join(docker, 'compose.test.yml'), stringify(document))
    execFileSync(join(docker, 'make-secrets.sh'))
  })
  afterAll(() => compose('down', '--volumes'))
  const token = () => read('secrets/token')

  it('starts the API locked down, and it becomes healthy', async () => {
    await compose('up', '--detach', '--no-build', 'api')
    await becomesHealthy('small_api_1')
    const { HostConfig, Config, EffectiveCaps } = await inspected('small_api_1')
    expect([HostConfig.ReadonlyRootfs, Config.User, EffectiveCaps ?? []]).toEqual([true, '10001:10001', []])
    expect(engine.statusOf('exec', 'small_api_1', 'touch', '/tmp/x')).toBe(0)
    for (const path of ['/opt/edgesmith/x', '/service/x', '/x']) expect(engine.statusOf('exec', 'small_api_1', 'touch', path)).not.toBe(0)
  })

  it('answers as it did when it was exported', async () => {
    const answered = JSON.parse(read('example-answer.json'))
    const { status, body } = await ask(ports.api, '/predict', { token: token(), body: read('example-request.json') })
    expect([status, body.outputs]).toEqual([200, answered.outputs])
    expect((await ask(ports.api, '/ready')).status).toBe(401)
  })

  it('is watched by Prometheus, which understands every query of dashboard and alerts', async () => {
    await compose('up', '--detach', '--no-build', 'prometheus')
    await becomesHealthy('small_prometheus_1')
    const prometheus = async (path: string) => (await ask(ports.prometheus, `/api/v1/${path}`)).body
    await vi.waitFor(async () => {
      const { data } = await prometheus('targets')
      expect(data.activeTargets).toMatchObject([{ health: 'up', lastError: '' }])
    }, inside)
    const { panels } = JSON.parse(read('monitoring/grafana/dashboards/edgesmith.json'))
    const queries: string[] = panels.flatMap(({ targets = [] }: Document) => targets.map(({ expr }: Document) => expr))
    expect(queries.length).toBeGreaterThan(30)
    for (const query of queries) {
      // As Grafana fills in its variables.
      const filled = query.replaceAll(/\$__\w*(?:interval|range)/g, '1m').replaceAll(/"\$\{?\w+\}?"/g, '".*"')
      expect([query, (await prometheus(`query?query=${encodeURIComponent(filled)}`)).status]).toEqual([query, 'success'])
    }
    const up = await prometheus(`query?query=${encodeURIComponent('sum(edgesmith_request_duration_seconds_count)')}`)
    expect(Number(up.data.result[0].value[1])).toBeGreaterThan(0)
    await vi.waitFor(async () => {
      const [group] = (await prometheus('rules')).data.groups
      expect(group.rules.map(({ health }: Document) => health)).toEqual(group.rules.map(() => 'ok'))
    }, inside)
  })

  it('stops when it is told to', async () => {
    await compose('stop')
    expect((await inspected('small_api_1')).State.ExitCode).toBe(0)
    expect(await engine.podman('logs', 'small_api_1')).toContain('"event":"stopped"')
  })
})

describe('the image for boards', () => {
  const run = async (name: string, port: number) => {
    const locked = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'all', '--security-opt', 'no-new-privileges']
    await engine.podman('run', '-d', '--name', name, '-p', `127.0.0.1:${port}:8080`, ...locked, '-e', `EDGESMITH_TOKEN=${TOKEN}`, name)
    await becomesHealthy(name)
  }

  it('runs where there is no shell', async () => {
    await engine.import(baseImages.distroless)
    await engine.build(docker, 'Dockerfile.edge', 'edge')
    const port = await freePort()
    await run('edge', port)
    await expectExample(port)
    expect(engine.statusOf('exec', 'edge', 'sh', '-c', 'true')).not.toBe(0)
    await engine.podman('stop', 'edge')
    expect((await inspected('edge')).State.ExitCode).toBe(0)
  })
})

describe('the manifests', () => {
  it('make a pod that is live and ready, and answers', async () => {
    const objects: Document[] = ['settings', 'deployment', 'service', 'autoscaler'].flatMap((name) =>
      parseAllDocuments(readFileSync(join(kubernetes, `${name}.yaml`), 'utf8')).map((document) => document.toJS()),
    )
    const [settings, deployment] = objects
    // Podman mounts no single keys of a ConfigMap: the same file from the disk. And no port but a free one.
    const file = join(exports.folder, 'settings.json')
    writeFileSync(file, settings.data['service.json'])
    const pod = deployment.spec.template.spec
    pod.volumes.find(({ name }: Document) => name === 'settings').configMap = undefined
    pod.volumes.find(({ name }: Document) => name === 'settings').hostPath = { path: file, type: 'File' }
    pod.containers[0].volumeMounts[0].subPath = undefined
    const port = await freePort()
    pod.containers[0].ports[0].hostPort = port
    const manifest = join(exports.folder, 'manifest.yaml')
    writeFileSync(manifest, objects.map((object) => stringify(object)).join('---\n'))
    const secret = join(exports.folder, 'secret.json')
    writeFileSync(secret, JSON.stringify({ token: Buffer.from(TOKEN).toString('base64') }))
    await engine.podman('secret', 'create', 'small-token', secret)
    await engine.podman('kube', 'play', manifest)
    // The image's own check asks for /ready, the liveness probe for /health.
    await becomesHealthy('small-pod-0-api')
    const ready = ['/opt/edgesmith/node', '/opt/edgesmith/health-check.cjs', '/ready']
    expect(engine.statusOf('exec', 'small-pod-0-api', ...ready)).toBe(0)
    const { HostConfig, Config, EffectiveCaps } = await inspected('small-pod-0-api')
    expect([HostConfig.ReadonlyRootfs, Config.User, EffectiveCaps ?? []]).toEqual([true, '10001:10001', []])
    await expectExample(port)
    await engine.podman('kube', 'down', manifest)
  })
})
