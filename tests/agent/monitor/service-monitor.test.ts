import type { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { ServiceMonitor } from '../../../src/agent/monitor/service-monitor.ts'
import type { ServedConfig } from '../../../src/agent/serve/versions/served-version.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { normal, normalReference, observed, recordingLog, until } from './observed.ts'

it('a drift is told when it begins, and again when it comes back after a window without', async () => {
  const told: (readonly string[])[] = []
  const config = {
    service: 'box',
    version: 'v1',
    modelName: 'N',
    driftReference: normalReference(2),
    predictionLog: null,
    retraining: null,
  }
  const monitor = new ServiceMonitor({
    config: config as unknown as ServedConfig,
    predictionsPath: '/nowhere/predictions.sqlite',
    webhookStatePath: '/nowhere/webhook.json',
    webhookSecret: null,
    log: recordingLog().log,
    startThread: (): Worker => {
      throw new Error('nothing is logged')
    },
    onDrift: (features) => told.push(features),
  })
  const random = seededRandom(7)
  let at = Date.UTC(2026, 0, 1)
  for (const [window, shift] of [1, 1, 1, 0, 1, 1].entries()) {
    for (let row = 0; row < 1000; row++) {
      at += 20
      monitor.predicted(observed([normal(random) + shift, normal(random)], at, row % 2))
    }
    await until(() => monitor.live.drift?.judgedWindows === window + 1, `window ${window}`)
    expect(told).toEqual(Array.from({ length: [0, 1, 1, 1, 1, 2][window] as number }, () => ['f0']))
  }
  await monitor.close()
})
