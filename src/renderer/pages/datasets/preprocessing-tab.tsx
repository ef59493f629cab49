import { useState } from 'react'
import type { Dataset } from '../../../contract/dataset.ts'
import { useJob } from '../../backend/use-jobs.ts'
import { PreprocessingEditor } from './preprocessing-editor.tsx'
import { useSavedDataset } from './use-saved-dataset.ts'

/** Edits how samples become model inputs; starts afresh when another description was stored. */
export function PreprocessingTab({ dataset }: { dataset: Dataset }) {
  const [jobId, setJobId] = useState<string | null>(null)
  const job = useJob(jobId)
  useSavedDataset(job, dataset)
  return <PreprocessingEditor key={JSON.stringify([dataset.id, dataset.preprocessing])} dataset={dataset} job={job} onJob={setJobId} />
}
