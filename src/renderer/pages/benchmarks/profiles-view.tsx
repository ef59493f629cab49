import { IconFlame } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import type { AnalysisEntry } from '../../../contract/analysis.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { type Column, ListTable } from '../../components/list-table.tsx'
import { SplitView } from '../../components/split-view.tsx'
import { formatMs } from '../../format/durations.ts'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { useNow } from '../../hooks/use-now.ts'
import { MeasuringJob } from './measuring-job.tsx'
import { NewProfile } from './new-profile.tsx'
import { ProfileDetail } from './profile-detail.tsx'
import { matchesWords } from './run-filter.ts'
import classes from './runs.module.css'
import { useMeasuringJobs } from './use-measuring-jobs.ts'
import { useNames } from './use-names.ts'

interface ProfilesViewProps {
  readonly query: UseQueryResult<AnalysisEntry[]>
  readonly filter: string
  /** True: the form for a new one, `id` being the model to begin with. */
  readonly form: boolean
  readonly id: string | null
}

/** All profiles; beside them one of them, or the form for a new one. */
export function ProfilesView({ query, filter, form, id }: ProfilesViewProps) {
  const [, navigate] = useLocation()
  const now = useNow(60_000)
  const names = useNames()
  const running = useMeasuringJobs(['profile.start'])
  const columns: readonly Column<AnalysisEntry>[] = [
    {
      key: 'model',
      header: 'Model',
      sort: ({ modelId }) => names.model(modelId),
      cell: ({ modelId }) => <strong>{names.model(modelId)}</strong>,
    },
    {
      key: 'device',
      header: 'Device',
      priority: 2,
      sort: ({ deviceId }) => names.device(deviceId),
      cell: ({ deviceId }) => names.device(deviceId),
    },
    {
      key: 'threads',
      header: 'Batch × threads',
      align: 'right',
      priority: 3,
      sort: ({ profile }) => (profile?.batch ?? 0) * 1000 + (profile?.threads ?? 0),
      cell: ({ profile }) => (profile ? `${profile.batch} × ${profile.threads}` : null),
    },
    {
      key: 'ms',
      header: 'Median',
      align: 'right',
      sort: ({ profile }) => profile?.plainMs ?? 0,
      cell: ({ profile }) => formatMs(profile?.plainMs),
    },
    {
      key: 'created',
      header: 'Measured',
      align: 'right',
      priority: 2,
      sort: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => (
        <span className="es-dim" title={formatExactMoment(createdAt)}>
          {formatMoment(createdAt, now)}
        </span>
      ),
    },
  ]
  return (
    <AsyncView query={query}>
      {(profiles) => {
        if (profiles.length === 0 && running.length === 0 && !form && id === null) {
          return (
            <EmptyPage
              Icon={IconFlame}
              title="No profiles yet"
              testId="profiles-empty"
              actions={
                <LinkButton size="sm" href="/benchmarks/profile">
                  Profile a model
                </LinkButton>
              }
            >
              A profile shows where the time of a model goes: kernel by kernel and layer by layer, with what was moved and computed, against
              what the machine could do at most.
            </EmptyPage>
          )
        }
        const shown = profiles.filter(({ modelId, deviceId }) => matchesWords(`${names.model(modelId)} ${names.device(deviceId)}`, filter))
        const selected = form ? undefined : profiles.find((profile) => profile.id === id || profile.jobId === id)
        const board = (
          <div className={classes.board}>
            {running.length > 0 ? (
              <div className={classes.running}>
                {running.map((job) => (
                  <JobProgress key={job.id} job={job} />
                ))}
              </div>
            ) : null}
            <div className={classes.scroll}>
              {shown.length === 0 ? (
                <p className={classes.none}>
                  {profiles.length === 0 ? 'The first profile appears here.' : 'No profile matches the filter.'}
                </p>
              ) : (
                <ListTable
                  label="Profiles"
                  columns={columns}
                  rows={shown}
                  rowKey={(profile) => profile.id}
                  selectedKey={selected?.id ?? null}
                  onSelect={(profileId) => navigate(`/benchmarks/profiles/${profileId}`)}
                  rowTestId={(profile) => `profile-${profile.id}`}
                />
              )}
            </div>
          </div>
        )
        const detail = form ? (
          <NewProfile modelId={id} />
        ) : selected ? (
          <ProfileDetail key={selected.id} id={selected.id} />
        ) : id !== null ? (
          <MeasuringJob jobId={id} what="profile" />
        ) : null
        return detail === null ? board : <SplitView name="profiles" listSize={28} list={board} detail={detail} />
      }}
    </AsyncView>
  )
}
