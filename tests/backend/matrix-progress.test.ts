import { describe, expect, it } from 'vitest'
import type { JobContext } from '../../src/backend/jobs/job-queue.ts'
import { MatrixProgress } from '../../src/backend/use-cases/matrix-progress.ts'
import type { Progress } from '../../src/contract/job.ts'

describe('MatrixProgress', () => {
  it('counts cells of all devices, says what each does, and names the device in the log', () => {
    const shown: Progress[] = []
    const lines: string[] = []
    const job = { progress: (progress: Progress) => shown.push(progress), log: (text: string) => lines.push(text) } as unknown as JobContext
    const progress = new MatrixProgress(4, job)
    const [pi, orin] = [progress.on('pi'), progress.on('orin')]
    pi.progress({ phase: 'connecting', done: 0, total: null, unit: '' })
    orin.progress({ phase: 'sending', done: 5, total: 10, unit: 'bytes' })
    orin.progress({ phase: 'sending', done: 6, total: 10, unit: 'bytes' })
    orin.log('something')
    progress.finished(1)
    progress.leave('pi')
    progress.leave('orin')
    expect(shown).toEqual([
      { phase: 'pi: connecting', done: 0, total: 4, unit: 'cells' },
      { phase: 'pi: connecting; orin: sending', done: 0, total: 4, unit: 'cells' },
      { phase: 'pi: connecting; orin: sending', done: 1, total: 4, unit: 'cells' },
      { phase: 'orin: sending', done: 1, total: 4, unit: 'cells' },
      { phase: 'finished', done: 1, total: 4, unit: 'cells' },
    ])
    expect(lines).toEqual(['orin: something'])
  })
})
