import { EdgesmithError } from '../../contract/errors.ts'
import type { BenchSettings } from '../../contract/measurement.ts'

/**
 * Checks that the settings make a whole scenario, before anything is started.
 * @throws EdgesmithError `USAGE` naming the setting that is missing or has no meaning in the scenario
 */
export function requireScenario({ scenario, rate, streams, connections, runtime, threads }: BenchSettings): void {
  if (runtime === 'tensorrt') requireTensorRt(scenario, threads)
  if (scenario === 'server' && rate === undefined) {
    throw new EdgesmithError('USAGE', 'The server scenario needs a rate: how many requests arrive in a second.', {
      hint: 'Give a rate below 1000 ÷ latency in ms, for example half of the throughput of the single scenario.',
    })
  }
  refuse(rate !== undefined && scenario !== 'server' && scenario !== 'http', 'rate', 'server and http', scenario)
  refuse(streams > 1 && scenario !== 'offline', 'streams', 'offline', scenario)
  refuse(connections > 1 && scenario !== 'http', 'connections', 'http', scenario)
  if (rate !== undefined && connections > 1) {
    throw new EdgesmithError('USAGE', 'Either a rate or a number of connections can be given, not both.', {
      hint: 'With a rate as many connections are opened as are needed.',
    })
  }
}

function requireTensorRt(scenario: BenchSettings['scenario'], threads: number): void {
  if (scenario !== 'single' && scenario !== 'batch') {
    throw new EdgesmithError('USAGE', `TensorRT is measured in the scenarios single and batch; the scenario is ${scenario}.`, {
      hint: 'Choose single or batch, or the runtime onnxruntime.',
    })
  }
  if (threads > 1) {
    throw new EdgesmithError(
      'USAGE',
      `The setting "threads" belongs to ONNX Runtime; TensorRT computes on the GPU (asked for were ${threads}).`,
      {
        hint: 'Leave threads at 1.',
      },
    )
  }
}

function refuse(wrong: boolean, setting: string, where: string, scenario: string): void {
  if (!wrong) return
  throw new EdgesmithError('USAGE', `The setting "${setting}" belongs to ${where}; the scenario is ${scenario}.`, {
    hint: `Leave it out or choose another scenario.`,
  })
}
