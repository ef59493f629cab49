import type { UseQueryResult } from '@tanstack/react-query'
import { useState } from 'react'
import type { Job } from '../../contract/job.ts'
import { AsyncView } from '../components/async-view.tsx'
import { useNow } from '../hooks/use-now.ts'
import { JobLog } from './job-log.tsx'
import classes from './job-panel.module.css'
import { JobRow } from './job-row.tsx'

/** All recent jobs on the left, the log of the selected one on the right. */
export function JobPanel({ query }: { query: UseQueryResult<Job[]> }) {
  const [selectedId, setSelectedId] = useState<string | null>(null)
  const now = useNow(1000)
  return (
    <div className={classes.panel}>
      <AsyncView query={query}>
        {(jobs) => {
          const selected = jobs.find(({ id }) => id === selectedId) ?? jobs[0]
          if (!selected) return <div className={classes.none}>No job has run in this workspace yet.</div>
          return (
            <>
              <ul className={classes.list} aria-label="Jobs">
                {jobs.map((job) => (
                  <JobRow key={job.id} job={job} now={now} selected={job.id === selected.id} onSelect={() => setSelectedId(job.id)} />
                ))}
              </ul>
              <JobLog key={selected.id} job={selected} />
            </>
          )
        }}
      </AsyncView>
    </div>
  )
}
