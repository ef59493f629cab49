import { ocrClassifier, ocrDetector, ocrRecognizer } from './real-model-cases.ts'
import { describeRealModel } from './real-model-recipes.ts'

// These take pictures in batches of any size.
const freeBatch = { 'dynamic-batch': 'RECIPE_NOT_APPLICABLE' }
const once = ['int8-static for x64', 'int8-static for tensorrt', 'prune-channels']

describeRealModel(ocrClassifier, { refused: freeBatch })
describeRealModel(ocrDetector, {
  refused: {
    // Convolutions and nothing else that has weights.
    'int8-dynamic': 'RECIPE_NOT_APPLICABLE',
    'int8-weights': 'RECIPE_NOT_APPLICABLE',
    'int4-weights': 'RECIPE_NOT_APPLICABLE',
    ...freeBatch,
  },
  once,
  leftOut: ['int8-static for x64', 'int8-static for arm64'],
})
describeRealModel(ocrRecognizer, { refused: freeBatch, once, leftOut: ['int8-static for arm64'] })
