// What a worker thread of `offline-scenario.test.ts` runs; in the agent it is the agent's own file.
import { runStream } from '../../../src/engine/measure/stream-worker.ts'

void runStream()
