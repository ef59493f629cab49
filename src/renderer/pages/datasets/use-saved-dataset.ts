import { useEffect, useRef } from 'react'
import { useLocation } from 'wouter'
import type { Dataset } from '../../../contract/dataset.ts'
import type { Job } from '../../../contract/job.ts'
import { jobResult } from '../../backend/job-result.ts'
import { notifyDone } from '../../components/notify.tsx'

/** Tells once that a description was stored, and goes to the copy where one was made. */
export function useSavedDataset(job: Job | undefined, dataset: Dataset): void {
  const [, navigate] = useLocation()
  const told = useRef<string | null>(null)
  const saved = jobResult(job, 'datasets.setPreprocessing')
  useEffect(() => {
    if (!job || !saved || told.current === job.id) return
    told.current = job.id
    if (saved.id === dataset.id) {
      notifyDone('Preprocessing saved')
      return
    }
    notifyDone(`Results refer to ${dataset.name} as it was, so a copy has the new preprocessing: ${saved.name}`)
    navigate(`/datasets/${saved.id}`)
  }, [job, saved, dataset, navigate])
}
