import { halfToFloat } from '../float16.ts'
import type { NamedTensors, Port, RuntimeTensor } from '../inference-runtime.ts'
import { FidelityAccumulator, type FidelityResult, worstFidelity } from './fidelity.ts'

/** An output without any difference, where a number is needed: more than float32 can show. */
const IDENTICAL_DB = 300

/** Adds up how far the outputs of a model are from those of another, each output for itself. Strings are left out. */
export class OutputFidelity {
  private readonly outputs: readonly { readonly name: string; readonly isFloat: boolean; readonly fidelity: FidelityAccumulator }[]

  constructor(ports: readonly Port[]) {
    const numeric = ports.filter(({ type }) => type !== 'string')
    this.outputs = numeric.map(({ name, type }) => ({ name, isFloat: type.includes('float'), fidelity: new FidelityAccumulator() }))
  }

  /**
   * @param check called with the values of each output before they are compared
   * @throws RangeError when an output has another number of values
   */
  add(
    expected: NamedTensors,
    found: NamedTensors,
    check: (output: string, expected: ArrayLike<number | bigint>, found: ArrayLike<number | bigint>) => void = () => {},
  ): void {
    for (const { name, fidelity } of this.outputs) {
      const [wanted, values] = [tensorNumbers(expected[name]!), tensorNumbers(found[name]!)]
      check(name, wanted, values)
      fidelity.add(wanted, values)
    }
  }

  /** The output furthest from what it should be. */
  worst(): FidelityResult {
    const compared = this.compared()
    return compared.length === 0 ? new FidelityAccumulator().result() : worstFidelity(compared)
  }

  /** Mean signal to noise over the outputs, in dB; identical ones count as 300. */
  meanDb(): number {
    const compared = this.compared()
    return compared.reduce((sum, { sqnrDb }) => sum + (sqnrDb ?? IDENTICAL_DB), 0) / Math.max(1, compared.length)
  }

  /** Of the outputs with floats, or of all when there are none: a class number is no signal with noise. */
  private compared(): FidelityResult[] {
    const floats = this.outputs.filter(({ isFloat }) => isFloat)
    return (floats.length > 0 ? floats : this.outputs).map(({ fidelity }) => fidelity.result())
  }
}

/** The values of a tensor as numbers; float16 comes as its bits. */
function tensorNumbers({ type, values }: RuntimeTensor): ArrayLike<number | bigint> {
  return type === 'float16' ? Float32Array.from(values as Uint16Array, halfToFloat) : (values as ArrayLike<number | bigint>)
}
