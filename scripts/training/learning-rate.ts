/** A learning rate that rises linearly to `peak` during the first `warmupSteps` and then falls to zero along half a cosine. */
export interface LearningRateSchedule {
  readonly peak: number
  readonly warmupSteps: number
  readonly totalSteps: number
}

/** The rate of step number `step`, from 1 to `totalSteps`. */
export function learningRate(schedule: LearningRateSchedule, step: number): number {
  const { peak, warmupSteps, totalSteps } = schedule
  if (step <= warmupSteps) return (peak * step) / warmupSteps
  const progress = (step - warmupSteps) / (totalSteps - warmupSteps)
  return (peak * (1 + Math.cos(Math.PI * progress))) / 2
}
