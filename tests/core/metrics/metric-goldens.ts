import { readFileSync } from 'node:fs'

interface RegressionGolden {
  width: number
  actual: number[]
  predicted: number[]
  worse: number[]
  r2: number
  mae: number
  rmse: number
  maxError: number
  perOutput: { r2: number[]; mae: number[]; rmse: number[] }
  r2Ci95: [number, number]
  maeCi95: [number, number]
  rmseCi95: [number, number]
  difference: { rmse: number; rmseCi95: [number, number]; mae: number; maeCi95: [number, number] }
}

interface CalibrationGolden {
  classes: number
  labels: number[]
  scores: number[]
  confidence: number[]
  ece: number
  precisionMacro: number
  recallMacro: number
}

/** From scikit-learn, SciPy and netcal; `make-metric-goldens.py` beside the file says how. */
export const metricGoldens: { regression: RegressionGolden[]; calibration: CalibrationGolden[] } = JSON.parse(
  readFileSync(new URL('fixtures/metric-goldens.json', import.meta.url), 'utf8'),
)
