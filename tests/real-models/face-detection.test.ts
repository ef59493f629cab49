import { blazefaceBack, blazefaceFront } from './real-model-cases.ts'
import { describeRealModel } from './real-model-recipes.ts'

// Convolutions and nothing else that has weights.
const refused = {
  'int8-dynamic': 'RECIPE_NOT_APPLICABLE',
  'int8-weights': 'RECIPE_NOT_APPLICABLE',
  'int4-weights': 'RECIPE_NOT_APPLICABLE',
}

describeRealModel(blazefaceFront, { refused })
describeRealModel(blazefaceBack, { refused, once: ['int8-static for x64', 'int8-static for arm64', 'int8-static for tensorrt'] })
