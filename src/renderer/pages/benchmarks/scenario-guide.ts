import type { BenchSettings, Scenario } from '../../../contract/measurement.ts'

interface ScenarioGuide {
  readonly label: string
  /** What is measured, for whom that is the right question. */
  readonly text: string
  /** Settings that change something in this scenario, besides the length and the warm-up. */
  readonly settings: readonly (keyof BenchSettings)[]
}

/** The scenarios in words, with the settings that apply to each. */
export const scenarioGuide: Readonly<Record<Scenario, ScenarioGuide>> = {
  single: {
    label: 'Single',
    text: 'One inference after another, one sample each: how long one answer takes. The number most people mean.',
    settings: ['threads'],
  },
  batch: {
    label: 'Batch',
    text: 'Several samples in one inference: how much a larger batch brings, and what it adds to the wait. Latency is that of the whole batch.',
    settings: ['batch', 'threads'],
  },
  offline: {
    label: 'Offline',
    text: 'As many samples as possible, several sessions beside each other: for work that has all its input at once.',
    settings: ['batch', 'threads', 'streams'],
  },
  server: {
    label: 'Server',
    text: 'Requests come at random at a rate you set. Latency counts from the moment a request was due, so waiting behind a slow one shows.',
    settings: ['threads', 'rate'],
  },
  http: {
    label: 'HTTP',
    text: 'The whole way through the REST server: at a rate, or without one as fast as some connections can ask.',
    settings: ['threads', 'rate', 'connections'],
  },
}

/** Scenario of a run, with what ran the model where that is not ONNX Runtime. */
export function scenarioLabel({ scenario, runtime }: Pick<BenchSettings, 'scenario' | 'runtime'>): string {
  return runtime === 'tensorrt' ? `${scenarioGuide[scenario].label}, TensorRT` : scenarioGuide[scenario].label
}

/** All scenarios in the order they are offered. */
export const scenarios = Object.keys(scenarioGuide) as Scenario[]
