import { elementwiseCouplingRules } from './elementwise-rules.ts'
import { joiningCouplingRules } from './joining-rules.ts'
import { layoutCouplingRules } from './layout-rules.ts'
import type { CouplingRule } from './node-call.ts'
import { reductionCouplingRules } from './reduction-rules.ts'
import { reshapeCouplingRules } from './reshape-rules.ts'
import { weightedRules } from './weighted-rules.ts'

/** How each operator of the standard set couples channels. One that is missing is a barrier: channels that reach it stay. */
export const couplingRules: ReadonlyMap<string, CouplingRule> = new Map(
  Object.entries({
    ...weightedRules,
    ...elementwiseCouplingRules,
    ...joiningCouplingRules,
    ...layoutCouplingRules,
    ...reductionCouplingRules,
    ...reshapeCouplingRules,
  }),
)
