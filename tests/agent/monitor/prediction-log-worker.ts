// What the agent does in the thread of its prediction log.
import { runPredictionLog } from '../../../src/agent/monitor/prediction-log-thread.ts'

runPredictionLog()
