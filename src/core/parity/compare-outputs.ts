import { CoreError } from '../core-error.ts'
import { topClass } from '../metrics/classification.ts'
import { quoteName } from '../onnx/quote-name.ts'
import type { MachineOutputs, OutputValues, ParityMachine } from './machine-outputs.ts'
import { compareLayerValues } from './parity-layers.ts'
import { type ParitySuspect, paritySuspects } from './parity-suspects.ts'
import { type ComparedOutput, type ParityVerdict, parityVerdict } from './parity-verdict.ts'
import { valueDifference } from './value-difference.ts'

/** The outputs of one model on two machines. The contract's `parityResultSchema` adds machines, inputs and warnings. */
export interface ComparedOutputs extends ParityVerdict {
  readonly samples: number
  readonly outputs: {
    readonly name: string
    readonly shape: number[]
    readonly sqnrDb: number | null
    readonly maxAbsDiff: number | null
    readonly meanAbsDiff: number | null
    readonly cosine: number | null
  }[]
  readonly top1Agreement: number | null
  readonly layers: {
    readonly layer: string
    readonly op: string
    readonly sqnrDb: number | null
    readonly maxAbsDiff: number | null
    readonly lostDb: number | null
  }[]
  readonly suspects: ParitySuspect[]
  readonly advice: string | null
}

/**
 * What the same model gives on this computer (`here`, the reference) and on a device (`there`) for the same samples.
 *
 * @throws CoreError `DEVICE_PROTOCOL` when both do not speak of the same samples and outputs
 */
export function compareOutputs(
  here: MachineOutputs & { readonly environment: ParityMachine },
  there: MachineOutputs & { readonly environment: ParityMachine },
): ComparedOutputs {
  requireSame(here, there)
  const outputs: ComparedOutput[] = here.outputs.map((output, index) => ({
    output,
    ...valueDifference(output.values, there.outputs[index]!.values),
  }))
  const top1Agreement = classAgreement(here, there)
  const verdict = parityVerdict(outputs, here.precision, top1Agreement)
  const layers = compareLayerValues(here.layers, there.layers)
  const differs = verdict.verdict === 'different'
  return {
    ...verdict,
    samples: here.samples,
    outputs: outputs.map(({ output: { name, shape }, sqnrDb, maxAbsDiff, meanAbsDiff, cosine }) => ({
      name,
      shape: [...shape],
      sqnrDb,
      maxAbsDiff,
      meanAbsDiff,
      cosine,
    })),
    top1Agreement,
    layers: layers.map(({ values: { layer, op }, sqnrDb, maxAbsDiff, lostDb }) => ({ layer, op, sqnrDb, maxAbsDiff, lostDb })),
    suspects: differs ? paritySuspects(layers, here.environment, there.environment) : [],
    advice: differs ? adviceFor(here) : null,
  }
}

function requireSame(here: MachineOutputs, there: MachineOutputs): void {
  const names = (outputs: readonly OutputValues[]) => outputs.map(({ name }) => quoteName(name)).join(', ') || 'none'
  const [expected, found] = [names(here.outputs), names(there.outputs)]
  if (here.samples === there.samples && expected === found) return
  throw new CoreError(
    'DEVICE_PROTOCOL',
    `The device answered ${there.samples} samples of the outputs ${found}; expected were ${here.samples} samples of ${expected}.`,
    { hint: 'The agent on the device may be of another version. Prepare the device again.' },
  )
}

/**
 * Share of samples whose highest score belongs to the same class, of the first floating point output that holds one score for each of two
 * or more classes; null without one. A sample without numbers on both machines agrees.
 */
function classAgreement(here: MachineOutputs, there: MachineOutputs): number | null {
  for (const [index, output] of here.outputs.entries()) {
    const classes = classCount(output, here.samples)
    const other = there.outputs[index]!
    if (classes === null || other.values.length !== output.values.length) continue
    let equal = 0
    for (let row = 0; row < here.samples; row++) {
      if (topClass(output.values, row, classes) === topClass(other.values, row, classes)) equal++
    }
    return equal / here.samples
  }
  return null
}

function classCount({ type, shape: [rows, classes, ...rest], values }: OutputValues, samples: number): number | null {
  if (!type.startsWith('float') || rows !== samples || classes === undefined || classes < 2) return null
  return rest.every((dim) => dim === 1) && values.length === samples * classes ? classes : null
}

function adviceFor({ precision }: MachineOutputs): string {
  const first = 'Evaluate the build on the device: what it loses there is what its users get.'
  if (precision === 'int8')
    return `${first} If accuracy falls, make the int8 build for the target of the device, which decides how weights are scaled, or keep the layers named here in float32 (exclude).`
  if (precision === 'float16') return `${first} If accuracy falls, keep the layers named here in float32.`
  return `${first} In float32 this is more than rounding: compare the versions of ONNX Runtime, and check that both machines run the same file.`
}
