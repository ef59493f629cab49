import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/contract/deployment.ts'
import { procedures } from '../../src/contract/procedures.ts'
import { serviceSettingsSchema } from '../../src/contract/service.ts'
import { fieldErrors } from '../../src/renderer/forms/field-errors.ts'
import { deployInput, existingService, newDeployDraft, withService } from '../../src/renderer/pages/deployments/deploy/deploy-draft.ts'
import { settingsChoices, settingsDraftOf } from '../../src/renderer/pages/deployments/deploy/settings-draft.ts'
import { newValidationDraft, validationInput } from '../../src/renderer/pages/deployments/validation/validation-draft.ts'
import { exportFolder } from '../../src/renderer/pages/models/export-formats.ts'

const modelId = 'b1946ac9-2d44-4b10-8c6f-0f6f7e2f0a11'
const settings = serviceSettingsSchema.parse({
  service: 'fashion',
  host: '127.0.0.1',
  port: 4000,
  apiKeys: [{ name: 'kiosk', sha256: 'a'.repeat(64) }],
  predictionLog: { share: 0.25 },
})
const fashion = { id: 'c', deviceId: 'local', service: 'fashion', settings } as unknown as Deployment
const schema = procedures['deploy.start'].input
const draft = { ...newDeployDraft(modelId), service: 'fashion' }

describe('the deploy form', () => {
  it('asks for nothing but a model, and takes the defaults of the contract', () => {
    const input = deployInput(newDeployDraft(modelId), undefined, undefined)
    expect(input).toEqual({ modelId, deviceId: 'local', settings: {}, rollout: { kind: 'switch' }, gate: {}, supervise: 'auto' })
    expect(fieldErrors(schema, input)).toEqual({})
    expect(fieldErrors(schema, deployInput(newDeployDraft(null), undefined, undefined))).toHaveProperty('modelId')
  })

  it('says how a release takes its place only where something serves already', () => {
    expect(existingService(draft, [fashion])).toBe(fashion)
    expect(existingService({ ...draft, deviceId: 'other' }, [fashion])).toBeUndefined()
    const rollout = { ...draft.rollout, kind: 'canary' as const, steps: '5; 25', maxDivergencePercent: 2, maxP95Ratio: '' }
    const input = deployInput({ ...draft, rollout }, fashion, {})
    expect(input.rollout).toEqual({
      kind: 'canary',
      steps: [5, 25],
      stepSeconds: 60,
      watchSeconds: 60,
      limits: { maxErrorRate: 0.01, maxP95Ratio: null, maxDivergence: 0.02, minRequests: 50 },
    })
    expect(deployInput({ ...draft, rollout }, undefined, {}).rollout).toEqual({ kind: 'switch' })
    const split = deployInput({ ...draft, rollout: { ...draft.rollout, kind: 'split', weight: 30 } }, fashion, {})
    expect(split.rollout).toMatchObject({ kind: 'split', weight: 30 })
    expect(fieldErrors(schema, split)).toEqual({})
  })

  it('measures accuracy only with data', () => {
    const limited = { ...draft, maxAccuracyDropPercent: 0.5 }
    expect(deployInput(limited, undefined, {})).not.toHaveProperty('maxAccuracyDrop')
    expect(deployInput({ ...limited, datasetId: modelId }, undefined, {})).toMatchObject({ datasetId: modelId, maxAccuracyDrop: 0.005 })
  })

  it('names the field that is wrong', () => {
    const wrong = {
      ...draft,
      port: 80,
      maxLatencyMs: -1,
      rollout: { ...draft.rollout, kind: 'canary' as const, steps: '1, x', maxErrorPercent: '-' },
    }
    const errors = fieldErrors(schema, deployInput(wrong, fashion, undefined))
    expect(Object.keys(errors).sort()).toEqual(['gate.maxLatencyMs', 'port', 'rollout.limits.maxErrorRate', 'rollout.steps'])
  })

  it('brings the settings of a service along when it is named', () => {
    const named = withService(newDeployDraft(modelId), { service: 'fashion' }, [fashion])
    expect(named.settings).toMatchObject({ keys: [{ name: 'kiosk', isNew: false }], log: true, logPercent: 25 })
    expect(withService(named, { service: 'fashio' }, [fashion]).settings).toEqual(settingsDraftOf(null))
    expect(newDeployDraft(null, fashion)).toMatchObject({ service: 'fashion', settings: { log: true } })
  })
})

describe('settings', () => {
  const before = settingsDraftOf(settings)
  const choicesSchema = schema.shape.settings

  it('that stay are not told', () => {
    expect(settingsChoices(before, settings)).toEqual({})
    expect(settingsChoices(settingsDraftOf(null), null)).toEqual({})
  })

  it('that change are told whole', () => {
    const changed = {
      ...before,
      keys: [...before.keys, { name: 'phone', isNew: true }],
      rate: 20,
      log: false,
      webhookUrl: 'https://ops.example/retrain',
      open: true,
      hosts: ['box.local'],
    }
    const choices = settingsChoices(changed, settings)
    expect(choices).toEqual({
      host: '0.0.0.0',
      network: { hosts: ['box.local'] },
      apiKeys: [{ name: 'kiosk' }, { name: 'phone' }],
      rateLimit: { requestsPerSecond: 20, burst: 20 },
      predictionLog: null,
      retraining: { url: 'https://ops.example/retrain', coolDownHours: 24 },
    })
    expect(choicesSchema.safeParse(choices).success).toBe(true)
  })

  it('open to the network need a name', () => {
    const errors = fieldErrors(schema, deployInput({ ...draft, settings: { ...before, open: true } }, fashion, undefined))
    expect(errors).toHaveProperty(['settings.network.hosts'])
  })

  it('close the service again on loopback', () => {
    const opened = serviceSettingsSchema.parse({ ...settings, host: '0.0.0.0', network: { hosts: ['box'] } })
    expect(settingsChoices({ ...settingsDraftOf(opened), open: false }, opened)).toEqual({ host: '127.0.0.1', network: null })
  })
})

describe('other forms', () => {
  it('validate with the defaults of the contract', () => {
    const input = validationInput(modelId, newValidationDraft())
    const parsed = procedures['validate.start'].input.parse(input)
    expect(parsed).toEqual(procedures['validate.start'].input.parse({ deploymentId: modelId }))
    expect(
      fieldErrors(procedures['validate.start'].input, validationInput(modelId, { ...newValidationDraft(), samples: '' })),
    ).toHaveProperty('samples')
  })

  it('export into a folder of their own', () => {
    expect(exportFolder('/home/me/out/', 'Fashion CNN (int8)', 'docker')).toBe('/home/me/out/fashion-cnn-int8-docker')
    expect(exportFolder('C:\\out', '///', 'triton')).toBe('C:\\out\\model-triton')
  })
})
