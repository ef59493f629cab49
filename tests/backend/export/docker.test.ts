import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { validate } from 'dockerfile-utils'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import type { ExportResult } from '../../../src/contract/export.ts'
import { serviceSettingsSchema } from '../../../src/contract/service.ts'
import { imageProblem, readDockerfile, type Stage, saidBy } from './dockerfile-steps.ts'
import { type Exports, expectWhole, openExports, PATIENCE_MS } from './exports.ts'
import { promqlNames } from './promql-names.ts'
import { type RunningImage, startImage } from './running-image.ts'
import { errorsOf, schemaOf } from './schemas.ts'

let exports: Exports
let result: ExportResult
const read = (path: string) => readFileSync(join(result.folder, path), 'utf8')
beforeAll(async () => {
  exports = await openExports()
  result = await exports.write('docker')
}, PATIENCE_MS)
afterAll(() => exports.close())

// biome-ignore lint/suspicious/noExplicitAny: documents of many shapes, checked by their schemas
type Document = any
const compose = (): Document => parse(read('docker-compose.yml'))

describe('export --format docker', () => {
  it('writes what SHA256SUMS lists', () => expectWhole(result))

  it.each(['Dockerfile', 'Dockerfile.edge'])('%s has no problem a linter finds, and is as images should be', (name) => {
    const text = read(name)
    expect(validate(text).map(({ message }) => message)).toEqual([])
    const [files, image] = readDockerfile(text) as [Stage, Stage]
    for (const { from } of [files, image]) expect(from).toMatch(/^[\w./-]+:(?!latest)[\w.-]+$/)
    expect(image.instructions.map((each) => each.name)).not.toContain('RUN')
    expect([files, image].flatMap(({ instructions }) => instructions).map((each) => each.name)).not.toContain('ADD')
    expect(saidBy(image, 'USER')).toBe('10001:10001')
    expect(saidBy(image, 'STOPSIGNAL')).toBe('SIGTERM')
    expect(saidBy(image, 'HEALTHCHECK')).toContain('CMD ["/opt/edgesmith/node"')
    // What is copied into the build is let through, and secrets are not.
    const let_ = new Set(
      read('.dockerignore')
        .split('\n')
        .filter((line) => line.startsWith('!'))
        .map((line) => line.slice(1)),
    )
    const copied = files.instructions.filter((each) => each.name === 'COPY').flatMap(({ text: words }) => words.split(' ').slice(0, -1))
    for (const path of copied) expect(let_).toContain(path.split('/')[0])
    expect(let_).not.toContain('secrets')
    expect(read('.dockerignore').startsWith('*\n')).toBe(true)
  })

  it('has a composition that fits the schema, whose files are there and whose parts are locked down', () => {
    const document = compose()
    const schema = schemaOf('compose-spec')
    expect(errorsOf(schema, document)).toEqual([])
    expect(errorsOf(schema, { ...document, services: { api: { imagee: 'x' } } })).not.toEqual([])
    for (const [name, service] of Object.entries<Document>(document.services)) {
      expect([name, service.restart, service.read_only, service.cap_drop, service.security_opt]).toEqual([
        name,
        'unless-stopped',
        true,
        ['ALL'],
        ['no-new-privileges:true'],
      ])
      expect(service.mem_limit).toMatch(/^\d+m$/)
      expect(service.healthcheck.test[0]).toBe('CMD')
      for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:/)
      if (service.image !== 'small:latest') expect(service.image).toMatch(/:v?\d+\.\d+\.\d+$/)
      for (const volume of service.volumes as string[]) {
        const [source = ''] = volume.split(':')
        if (source.startsWith('./')) expect([source, existsSync(join(result.folder, source))]).toEqual([source, true])
        else expect(Object.keys(document.volumes)).toContain(source)
      }
      for (const secret of service.secrets) expect(Object.keys(document.secrets)).toContain(secret)
    }
  })

  it('makes its secrets for their owner, once', () => {
    const copy = join(exports.folder, 'secrets-copy')
    cpSync(join(result.folder, 'make-secrets.sh'), join(copy, 'make-secrets.sh'))
    const make = () => execFileSync(join(copy, 'make-secrets.sh'), { cwd: '/', encoding: 'utf8' })
    expect(make()).toBe('made secrets/token\nmade secrets/grafana-password\n')
    const token = readFileSync(join(copy, 'secrets/token'), 'utf8')
    expect(token).toMatch(/^[0-9a-f]{48}$/)
    expect(make()).toBe('')
    expect(readFileSync(join(copy, 'secrets/token'), 'utf8')).toBe(token)
    expect(statSync(join(copy, 'secrets')).mode & 0o777).toBe(0o700)
    for (const { file } of Object.values<Document>(compose().secrets)) expect(existsSync(join(copy, file))).toBe(true)
  })

  it('lets Prometheus in: by name, with the token, at the port', () => {
    const settings = serviceSettingsSchema.parse(JSON.parse(read('service/service.json')))
    const [job] = parse(read('monitoring/prometheus.yml')).scrape_configs
    const [host, port] = job.static_configs[0].targets[0].split(':')
    expect(settings.network?.hosts).toContain(host)
    expect(Object.keys(compose().services)).toContain(host)
    expect(Number(port)).toBe(settings.port)
    expect(job.authorization.credentials_file).toBe('/run/secrets/token')
  })

  it('has a dashboard that Grafana can draw', () => {
    const dashboard = JSON.parse(read('monitoring/grafana/dashboards/edgesmith.json'))
    const panels: Document[] = dashboard.panels
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const taken = new Set<string>()
    for (const { type, gridPos, targets = [] } of panels) {
      expect(['row', 'stat', 'timeseries']).toContain(type)
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken).not.toContain(`${x},${y}`)
          taken.add(`${x},${y}`)
        }
      }
      expect(new Set(targets.map(({ refId }: Document) => refId)).size).toBe(targets.length)
    }
    const variables = new Set(dashboard.templating.list.map(({ name }: Document) => name))
    for (const [, used] of JSON.stringify(panels).matchAll(/\$\{?(?!__)(\w+)/g)) expect(variables).toContain(used)
    const [datasource] = parse(read('monitoring/grafana/provisioning/datasources/prometheus.yml')).datasources
    expect(datasource.url).toBe('http://prometheus:9090')
    const [provider] = parse(read('monitoring/grafana/provisioning/dashboards/dashboards.yml')).providers
    expect(compose().services.grafana.volumes).toContainEqual(expect.stringContaining(`:${provider.options.path}:ro`))
  })

  it('says that the image was not built', () => expect(result.notes.join('\n')).toMatch(/image was not built here/))
})

const problem = imageProblem()
describe.skipIf(problem !== null)(`the image, built and run without Docker${problem === null ? '' : ` (skipped: ${problem})`}`, () => {
  let image: RunningImage
  beforeAll(async () => {
    image = await startImage(result.folder, join(exports.folder, 'image'))
  }, PATIENCE_MS)
  afterAll(() => image?.close())

  it('answers with its token, which only the environment or a secret holds', async () => {
    const example = JSON.parse(read('example-request.json'))
    const answered = JSON.parse(read('example-answer.json'))
    const { status, body } = await image.ask('/predict', example)
    expect([status, body.version, body.outputs]).toEqual([200, answered.version, answered.outputs])
    expect((await image.ask('/health', undefined, 'wrong-token-0123456789')).status).toBe(401)
  })

  it('passes its own health check', () => expect(image.healthCheck()).toBe(0))

  it('gives every metric and label that dashboard and alerts ask for', async () => {
    const rows = Array.from({ length: 1000 }, (_, row) => ({ x: [...exports.samples.subarray(row * 16, row * 16 + 16)] }))
    expect((await image.ask('/predict/batch', { inputs: rows })).status).toBe(200)
    // Drift is judged after the answer.
    const text: string = await vi.waitFor(async () => {
      const { body } = await image.ask('/metrics')
      expect(body).toMatch(/edgesmith_drift_windows_total\{[^}]*\} 1\n/)
      return body
    }, 20_000)
    // What Prometheus itself says of a target.
    const labels = new Map<string, Set<string>>([['up', new Set(['job', 'instance'])]])
    for (const [, name, given = ''] of text.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)) {
      const known = labels.get(name as string) ?? new Set(['job', 'instance'])
      for (const [, label] of given.matchAll(/(\w+)="/g)) known.add(label as string)
      labels.set(name as string, known)
    }
    // Sensors that this computer lacks are declared without a value.
    for (const [, name] of text.matchAll(/^# TYPE (edgesmith_device_[a-z_]+) gauge$/gm)) {
      if (!labels.has(name as string)) labels.set(name as string, new Set(['job', 'instance']))
    }
    const dashboard = JSON.parse(read('monitoring/grafana/dashboards/edgesmith.json'))
    const expressions: string[] = [
      ...dashboard.panels.flatMap(({ targets = [] }: Document) => targets.map(({ expr }: Document) => expr)),
      ...parse(read('monitoring/alerts.yml')).groups[0].rules.map(({ expr }: Document) => expr),
    ]
    expect(expressions.length).toBeGreaterThan(30)
    for (const expression of expressions) {
      const { metrics, labels: used } = promqlNames(expression)
      expect(metrics.length).toBeGreaterThan(0)
      for (const metric of metrics) {
        expect([expression, metric, labels.has(metric)]).toEqual([expression, metric, true])
        if (metrics.length === 1)
          for (const label of used) expect([metric, label, labels.get(metric)?.has(label)]).toEqual([metric, label, true])
      }
    }
  })

  it('stops when it is told to, and wrote nothing but its state', async () => {
    expect(await image.stop()).toBe(0)
    expect(image.log()).toContain('"event":"stopped"')
  })
})
