import type { AccuracyContext, AccuracyFinding } from '../accuracy-context.ts'
import { outputsDiffer } from '../accuracy-context.ts'
import { inDb } from '../wording.ts'

/** Worse by this much than the same build computed exactly: noise of twice the size. */
const NOTABLE_DB = 6
/** What stands for "no difference" in a subtraction. */
const SAME_DB = 300

/** 8-bit products that do not fit the 16 bits in which x64 processors without VNNI add two of them. */
export function productsSaturate(context: AccuracyContext): AccuracyFinding[] {
  const { outputs, layers } = context
  const int8 = layers.filter(({ precision }) => precision === 'int8')
  const worse = (outputs.writtenDb ?? SAME_DB) - (outputs.runDb ?? SAME_DB)
  if (int8.length === 0 || !outputsDiffer(context) || worse < NOTABLE_DB) return []
  return [
    {
      rule: 'products-saturate',
      message: `Computed exactly, the build's outputs are ${inDb(outputs.writtenDb)} from the baseline's; as this processor runs it, ${inDb(outputs.runDb)}. Without 8-bit dot products (VNNI) x64 processors add two products in 16 bits, and with weights over the full 8-bit range the sums are cut off.`,
      layers: int8.map(({ layer }) => layer),
      classes: [],
    },
  ]
}
