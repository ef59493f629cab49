import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { ExportResult } from '../../../src/contract/export.ts'
import { serviceSettingsSchema } from '../../../src/contract/service.ts'
import { type Exports, expectWhole, openExports, PATIENCE_MS } from './exports.ts'
import { readProtoText } from './proto-text-reader.ts'
import { errorsOf, kubernetesSchema, schemaOf } from './schemas.ts'

let exports: Exports
beforeAll(async () => {
  exports = await openExports()
}, PATIENCE_MS)
afterAll(() => exports.close())

// biome-ignore lint/suspicious/noExplicitAny: manifests of many shapes, checked by their schemas
type Manifest = any

describe('export --format kserve', () => {
  let result: ExportResult
  const read = (path: string): Manifest => parse(readFileSync(join(result.folder, path), 'utf8'))
  const manifests = (folder: string) =>
    readdirSync(join(result.folder, folder))
      .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
      .map((name) => read(`${folder}/${name}`))

  beforeAll(async () => {
    result = await exports.write('kserve')
  }, PATIENCE_MS)

  it('writes what SHA256SUMS lists', () => expectWhole(result))

  it('fits the schemas of Kubernetes and KServe, which refuse what they do not know', () => {
    const inference = schemaOf('inference-service')
    for (const folder of ['kubernetes', 'kserve', 'kserve-triton']) {
      for (const manifest of manifests(folder)) {
        const validate = manifest.kind === 'InferenceService' ? inference : kubernetesSchema(manifest.kind)
        expect([folder, manifest.kind, errorsOf(validate, manifest)]).toEqual([folder, manifest.kind, []])
      }
    }
    const deployment = read('kubernetes/deployment.yaml')
    deployment.spec.template.spec.containers[0].readinesProbe = {}
    expect(errorsOf(kubernetesSchema('Deployment'), deployment).join()).toContain('readinesProbe')
    const service = read('kserve/inference-service.yaml')
    service.spec.predictor.containers[0].imagePullPolicys = 'x'
    expect(errorsOf(inference, service).join()).toContain('imagePullPolicys')
  })

  it('lists every manifest in its kustomization, and names only what is there', () => {
    for (const folder of ['kubernetes', 'kserve', 'kserve-triton']) {
      const { resources, images = [] } = read(`${folder}/kustomization.yaml`)
      const there = readdirSync(join(result.folder, folder)).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
      expect([...resources].sort()).toEqual(there.sort())
      const text = manifests(folder)
        .map((manifest) => JSON.stringify(manifest))
        .join()
      for (const { name } of images) expect(text).toContain(`"image":"${name}"`)
    }
  })

  it('holds together: labels, ports, settings, secrets, target of the autoscaler', () => {
    const [deployment, service, autoscaler, settings] = ['deployment', 'service', 'autoscaler', 'settings'].map((name) =>
      read(`kubernetes/${name}.yaml`),
    ) as [Manifest, Manifest, Manifest, Manifest]
    const { template, selector } = deployment.spec
    expect(template.metadata.labels).toMatchObject(selector.matchLabels)
    expect(template.metadata.labels).toMatchObject(service.spec.selector)
    const [container] = template.spec.containers
    expect(container.ports[0].name).toBe(service.spec.ports[0].targetPort)
    expect(autoscaler.spec.scaleTargetRef).toEqual({
      apiVersion: deployment.apiVersion,
      kind: deployment.kind,
      name: deployment.metadata.name,
    })
    expect(template.spec.volumes[0].configMap.name).toBe(settings.metadata.name)
    const written = serviceSettingsSchema.parse(JSON.parse(settings.data[container.volumeMounts[0].subPath]))
    expect(written).toMatchObject({ service: 'small', host: '0.0.0.0', port: container.ports[0].containerPort })
    expect(written.network?.hosts).toContain('small.default.svc.cluster.local')
    const secret = container.env[0].valueFrom.secretKeyRef
    expect(readFileSync(join(result.folder, 'README.md'), 'utf8')).toContain(
      `kubectl create secret generic ${secret.name} --from-literal=${secret.key}=`,
    )
    expect(container.securityContext).toMatchObject({ runAsNonRoot: true, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false })
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) expect(container[probe].exec.command).toHaveLength(3)
  })

  it('says what it could not check', () => {
    expect(result.notes.join('\n')).toMatch(/No cluster was at hand/)
    const claim = read('kserve-triton/volume.yaml').metadata.name
    expect(read('kserve-triton/inference-service.yaml').spec.predictor.model.storageUri).toBe(`pvc://${claim}/model-repository`)
  })
})

describe('export --format triton', () => {
  it('writes a model repository whose names, labels and files fit together', async () => {
    const result = await exports.write('triton')
    expectWhole(result)
    const config = readProtoText(readFileSync(join(result.folder, 'model-repository/small/config.pbtxt'), 'utf8'))
    expect(config.get('name')).toEqual([{ kind: 'text', value: 'small' }])
    expect(config.get('max_batch_size')).toEqual([{ kind: 'number', value: '64' }])
    expect(result.files).toContainEqual({
      path: 'model-repository/small/1/model.onnx',
      sizeBytes: exports.model.sizeBytes,
      sha256: exports.model.sha256,
    })
    // Names from the model do not become Markdown.
    expect(readFileSync(join(result.folder, 'README.md'), 'utf8')).toContain('model: Small \\<model\\> \\| v1,')
    expect(result.notes.join('\n')).toMatch(/does not watch for drift/)
  })
})

describe('export', () => {
  it('refuses a folder with files, and one model it cannot serve', async () => {
    const again = await exports.workspace.job('export.start', {
      modelId: exports.model.id,
      format: 'triton',
      folder: join(exports.folder, 'triton'),
    })
    expect(again.error?.code).toBe('FOLDER_NOT_EMPTY')
    const wrong = await exports.workspace.job('export.start', {
      modelId: exports.model.id,
      format: 'triton',
      folder: join(exports.folder, 'never'),
      preprocessing: { mean: [1, 2, 3], stored: 'channels-last' },
    })
    expect(wrong.state).toBe('failed')
    expect(readdirSync(exports.folder).filter((name) => name.includes('never'))).toEqual([])
  })
})
