// What a worker thread of `run-telemetry.test.ts` runs; in the agent it is the agent's own file.
import { runTelemetry } from '../../../src/engine/measure/telemetry-worker.ts'

void runTelemetry()
