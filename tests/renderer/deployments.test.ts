import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { ServiceStatus } from '../../src/contract/deployment.ts'
import { curlExample } from '../../src/renderer/pages/deployments/curl-example.ts'
import { predictedClass } from '../../src/renderer/pages/deployments/predicted-class.ts'
import { type RequestReading, requestRates, withReading } from '../../src/renderer/pages/deployments/request-rate.ts'

describe('curlExample', () => {
  const url = 'http://127.0.0.1:4000'

  it('writes small inputs out, without their batch dimension', () => {
    const text = curlExample(url, [
      { name: 'x', type: 'float32', shape: ['batch', 2, 2] },
      { name: 'y', type: 'int64', shape: [1] },
    ])
    expect(text).toContain(`'{"inputs":{"x":[[0,0],[0,0]],"y":0}}'`)
  })

  it('takes large inputs, and those of unknown size, from a file', () => {
    expect(curlExample(url, [{ name: 'image', type: 'float32', shape: ['batch', 1, 28, 28] }])).toContain(
      '"image": nested lists of 1×28×28 float32',
    )
    expect(curlExample(url, [{ name: 'ids', type: 'int64', shape: ['batch', 'length'] }])).toContain('@sample.json')
    expect(curlExample(url, [{ name: 'any', type: 'float32', shape: null }])).toContain('@sample.json')
  })

  it('lets no name of a model out of its quotes', () => {
    const name = `a'; touch pwned; echo '\n$(id)`
    const text = curlExample(url, [{ name, type: 'float32', shape: [1, 1] }])
    const body = execFileSync('sh', ['-c', `printf %s ${text.slice(text.lastIndexOf(' -d ') + 4)}`]).toString()
    expect(JSON.parse(body)).toEqual({ inputs: { [name]: [0] } })
    const comment = curlExample(url, [{ name, type: 'float32', shape: [1, 99] }])
      .split('\n')
      .filter((line) => line.includes('pwned'))
    expect(comment).toHaveLength(1)
    expect(comment[0]).toMatch(/^# /)
  })
})

describe('predictedClass', () => {
  it('reads the answer of a classifier', () => {
    expect(predictedClass({ prediction: { class: 9, label: 'Ankle boot', confidence: 0.9 } })).toEqual({
      index: 9,
      label: 'Ankle boot',
      confidence: 0.9,
    })
    expect(predictedClass({ prediction: { class: 9, label: null } })).toEqual({ index: 9, label: null, confidence: null })
  })

  it('finds none in other answers', () => {
    for (const answer of [{ outputs: {} }, { prediction: null }, { prediction: 'boot' }, { error: 'x' }, null, 'text']) {
      expect(predictedClass(answer)).toBeNull()
    }
  })
})

describe('request rate', () => {
  const status = (requests: number | null) => ({ requests }) as ServiceStatus

  it('is the difference of the counter over time', () => {
    let readings: readonly RequestReading[] = []
    for (const [at, requests] of [
      [1000, 10],
      [3000, 50],
      [5000, 50],
    ] as const)
      readings = withReading(readings, at, status(requests))
    expect(requestRates(readings)).toEqual([20, 0])
    expect(withReading(readings, 5000, status(60))).toBe(readings)
  })

  it('starts afresh when the service did, and keeps two minutes', () => {
    let readings: readonly RequestReading[] = [{ at: 0, requests: 100 }]
    readings = withReading(readings, 2000, status(5))
    expect(readings).toEqual([{ at: 2000, requests: 5 }])
    expect(withReading(readings, 4000, status(null))).toEqual([])
    for (let tick = 2; tick < 200; tick++) readings = withReading(readings, tick * 2000, status(5 + tick))
    expect(readings).toHaveLength(61)
  })
})
