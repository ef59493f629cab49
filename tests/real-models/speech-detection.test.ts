import { sileroVad, sileroVadLegacy } from './real-model-cases.ts'
import { describeRealModel } from './real-model-recipes.ts'

// The whole network lies in the two branches of an If, one for each sampling rate.
const refused = {
  'int8-static for x64': 'RECIPE_NOT_APPLICABLE',
  'int8-static for arm64': 'RECIPE_NOT_APPLICABLE',
  'int8-static for tensorrt': 'RECIPE_NOT_APPLICABLE',
  'int8-weights': 'RECIPE_NOT_APPLICABLE',
  'int4-weights': 'RECIPE_NOT_APPLICABLE',
  'prune-channels': 'RECIPE_NOT_APPLICABLE',
  // It is free already.
  'dynamic-batch': 'RECIPE_NOT_APPLICABLE',
}

describeRealModel(sileroVad, { refused })
describeRealModel(sileroVadLegacy, { refused })
