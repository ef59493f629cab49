import type { RecipeName } from '../../contract/recipe.ts'

/** What a recipe is and what may honestly be expected of it. */
export interface RecipeGuide {
  readonly title: string
  /** What it does, in a line. */
  readonly what: string
  readonly size: string
  readonly speed: string
  readonly accuracy: string
}

/** Texts for people who choose a recipe. Numbers are typical; the comparison afterwards is what counts. */
export const recipeGuides = {
  'int8-static': {
    title: 'INT8, calibrated',
    what: 'Weights and activations as 8-bit integers, with ranges measured on your samples.',
    size: 'About 4× smaller.',
    speed: 'Usually the fastest on a CPU: often 1.5–2.5×. Small networks with few channels can become slower.',
    accuracy: 'Typically within 1 point; depthwise networks lose more. Needs calibration samples.',
  },
  'int8-dynamic': {
    title: 'INT8, dynamic',
    what: '8-bit weights; activation ranges are found anew at every inference.',
    size: 'About 4× smaller where weights are in matrix products.',
    speed: 'Good for transformers and fully connected layers. Convolutions often become slower.',
    accuracy: 'Typically within 1 point. Needs no data.',
  },
  fp16: {
    title: 'Half precision',
    what: 'Weights and activations as 16-bit floats.',
    size: '2× smaller.',
    speed: 'No gain on most CPUs, and slower on some ARM boards; it pays on GPUs.',
    accuracy: 'Practically unchanged.',
  },
  'int8-weights': {
    title: 'INT8 weights',
    what: 'Weights of matrix products as 8-bit integers; activations stay float.',
    size: 'About 4× smaller where weights are in matrix products.',
    speed: 'Pays where memory is the limit: large matrices and one sample at a time. Otherwise often slower.',
    accuracy: 'Practically unchanged.',
  },
  'int4-weights': {
    title: 'INT4 weights',
    what: 'Weights of matrix products as 4-bit integers in small blocks; activations stay float.',
    size: 'About 7× smaller where weights are in matrix products.',
    speed: 'Often the fastest for transformers that answer one sample at a time.',
    accuracy: 'Typically 1–2 points lost; calibration samples make it better.',
  },
  'prune-channels': {
    title: 'Channel pruning',
    what: 'Whole channels are removed, so that every layer computes less.',
    size: 'Smaller by about the share that is removed.',
    speed: 'Real: fewer multiplications on every processor.',
    accuracy: 'Falls with the share removed; re-fitting on calibration samples wins much of it back.',
  },
  'prune-magnitude': {
    title: 'Weight pruning',
    what: 'Single weights become zero; the tensors keep their size.',
    size: 'The same file; it only compresses better in an archive.',
    speed: 'None: ONNX Runtime computes zeros like any number.',
    accuracy: 'Around 2 points at 50 % by magnitude, less with calibration samples, falling quickly beyond that.',
  },
  extract: {
    title: 'Extract a part',
    what: 'Keeps what lies between chosen tensors, or fixes an input to a constant.',
    size: 'Smaller by what is left out.',
    speed: 'Saves the time of what is left out.',
    accuracy: 'Unchanged at the outputs that remain.',
  },
  'dynamic-batch': {
    title: 'Free batch size',
    what: 'Makes the first dimension of inputs and outputs free.',
    size: 'Unchanged.',
    speed: 'Lets several samples be computed at once.',
    accuracy: 'Unchanged.',
  },
  opset: {
    title: 'Newer operator set',
    what: 'Raises the operator set, which some recipes and runtimes need.',
    size: 'Unchanged.',
    speed: 'Unchanged.',
    accuracy: 'Unchanged.',
  },
} as const satisfies Record<RecipeName, RecipeGuide>

/** Settings that most people decide about; the others are folded away as advanced. */
export const mainSettings: Readonly<Record<RecipeName, readonly string[]>> = {
  'int8-static': ['calibrator', 'exclude'],
  'int8-dynamic': ['exclude'],
  fp16: ['weightsOnly', 'exclude'],
  'int8-weights': ['blockSize', 'exclude'],
  'int4-weights': ['blockSize', 'exclude'],
  'prune-channels': ['goal', 'amount', 'exclude'],
  'prune-magnitude': ['sparsity', 'method', 'exclude'],
  extract: ['inputs', 'outputs', 'fixed'],
  'dynamic-batch': ['name'],
  opset: ['version'],
}

/** What the recipes are for, for a list that can be read. */
export const recipeGroups: readonly { readonly title: string; readonly recipes: readonly RecipeName[] }[] = [
  { title: 'Fewer bits', recipes: ['int8-static', 'int8-dynamic', 'fp16', 'int8-weights', 'int4-weights'] },
  { title: 'Less to compute', recipes: ['prune-channels', 'prune-magnitude'] },
  { title: 'Change the graph', recipes: ['extract', 'dynamic-batch', 'opset'] },
]
