import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { DriftMonitor } from '../../../src/agent/monitor/drift-monitor.ts'
import { driftMetrics, driftReport } from '../../../src/agent/monitor/drift-report.ts'
import { PredictionLog, predictionLogMetrics } from '../../../src/agent/monitor/prediction-log.ts'
import { RetrainingWebhook } from '../../../src/agent/monitor/retraining-webhook.ts'
import { predictionLogSettingsSchema } from '../../../src/contract/monitoring.ts'
import { ReferenceSketcher } from '../../../src/core/drift/reference-sketcher.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { linearModel } from '../../engine/measure/small-models.ts'
import { testService } from '../service-fixture.ts'
import { loggedPredictions } from './logged-predictions.ts'
import { normal, recordingLog, until } from './observed.ts'

/** Three scores, y = [a + b, 2a, 2b], of which the greatest is the class. */
const classifier = linearModel('N', [
  [1, 2, 0],
  [1, 0, 2],
])

function referenceRows() {
  const random = seededRandom(1)
  const sketcher = new ReferenceSketcher(
    [
      { name: 'a', source: { kind: 'input', name: 'x', index: 0 } },
      { name: 'b', source: { kind: 'input', name: 'x', index: 1 } },
      { name: 'class', source: { kind: 'class' } },
      { name: 'first score', source: { kind: 'output', name: 'y', index: 0 } },
    ],
    random,
  )
  for (let row = 0; row < 5000; row++) {
    const [a, b] = [normal(random), normal(random)]
    const scores = [a + b, 2 * a, 2 * b]
    sketcher.add([a, b, scores.indexOf(Math.max(...scores)), a + b])
  }
  return sketcher.finish()
}

it('a real service shows drift at /drift and /metrics, logs its predictions and calls for training', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-monitored-'))
  const calls: Record<string, unknown>[] = []
  const receiver = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      calls.push(JSON.parse(body))
      response.end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const { log, lines } = recordingLog()
  const webhook = new RetrainingWebhook({
    url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
    secret: 'a secret of the two',
    statePath: join(folder, 'webhook.json'),
    coolDownMs: 3_600_000,
    service: { service: 'test', model: 'Test model', version: 'release-1' },
    log,
  })
  const monitor = new DriftMonitor({ reference: referenceRows(), onTrigger: (trigger) => void webhook.fire(trigger) })
  const path = join(folder, 'predictions.db')
  const predictions = new PredictionLog({
    settings: predictionLogSettingsSchema.parse({ path }),
    log,
    startThread: (options) => new Worker(new URL('./prediction-log-worker.ts', import.meta.url), options),
  })
  const labels = { model: 'Test model', version: 'release-1' }
  const { service, send } = await testService(classifier, { labels: ['sum', 'a', 'b'] }, {}, undefined, {
    observers: [monitor, predictions],
    routes: new Map([['/drift', { method: 'GET', handle: () => ({ status: 200, body: driftReport(monitor.state) }) }]]),
    metrics: [() => driftMetrics(monitor.state, labels), () => predictionLogMetrics(predictions.state, labels)],
  })
  try {
    const random = seededRandom(2)
    const sendRows = async (rows: number, shift: number) => {
      const inputs = Array.from({ length: rows }, () => ({ x: [normal(random) + shift, normal(random)] }))
      expect((await send('/predict/batch', { body: { inputs } })).status).toBe(200)
    }
    await sendRows(1000, 0.5)
    await until(() => monitor.state.judgedWindows === 1, 'the first window')
    expect((await send('/drift')).body).toMatchObject({ triggered: false, judged_windows: 1 })
    await sendRows(1000, 0.5)
    await until(() => monitor.state.judgedWindows === 2, 'the second window')
    const { body: report } = await send('/drift')
    expect(report).toMatchObject({
      triggered: true,
      judged_windows: 2,
      features: [{ name: 'a', windows_in_a_row: 2 }, { name: 'b', level: 'none' }, {}, {}],
    })
    const { body: metrics } = await send('/metrics')
    expect(metrics).toMatch(/^edgesmith_drift_triggered\{model="Test model",version="release-1"\} 1$/m)
    expect(metrics).toMatch(/^edgesmith_drift_psi\{model="Test model",version="release-1",feature="a"\} 0\.\d+$/m)
    await until(() => calls.length === 1, 'the call for training')
    expect(calls[0]).toMatchObject({ event: 'drift', features: expect.arrayContaining([expect.objectContaining({ name: 'a' })]) })
    const one = await send('/predict', { body: { input: [3, 1] }, headers: { 'x-request-id': 'mine' } })
    await until(() => predictions.state.writtenRows === 2001, 'the log')
    const rows = [...loggedPredictions(path, 'jsonl')].join('').trimEnd().split('\n')
    expect(rows).toHaveLength(2001)
    expect(JSON.parse(rows.at(-1) as string)).toMatchObject({
      request_id: 'mine',
      class: one.body.prediction.class,
      inputs: { x: [3, 1] },
      outputs: { y: [4, 6, 2] },
    })
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
  } finally {
    await service.close()
    monitor.close()
    webhook.close()
    await predictions.close()
    receiver.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
